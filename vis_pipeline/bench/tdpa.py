"""Scenes of boxes and vectors for the Tracklet Dynamic Programming Algorithm: a similarity stands for the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from vis_pipeline.data.entries import MEMORY_RATIO, Entry, one_line, parsed
from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import open_json
from vis_pipeline.files.json_stream import JsonStream
from vis_pipeline.files.memory import require_memory
from vis_pipeline.trackers.siam_rcnn.settings import TdpaSettings
from vis_pipeline.trackers.siam_rcnn.targets import Needs, Redetections

SIMILARITY = "exp(-squared distance of vectors)"
SAME = 1e-9
_FARTHEST = 1e9

_Number = Annotated[float, Field(allow_inf_nan=False, ge=-_FARTHEST, le=_FARTHEST)]
_Box = Annotated[list[_Number], Field(min_length=4, max_length=4)]
_EntryT = TypeVar("_EntryT", bound=Entry)
_Vector = NDArray[np.float64]


@dataclass(frozen=True)
class FrameResult:
    """What a frame shows of the target.

    Attributes:
        box: x1, y1, x2, y2 in pixels.
        present: whether a re-detection of this frame is the target.
        score: the frame's score.
        tracklets: how many there have been so far.
    """

    box: tuple[float, ...]
    present: bool
    score: float
    tracklets: int

    def same(self, other: "FrameResult") -> bool:
        """Whether both say the same, numbers to 1e-9."""
        numbers, others = ((*result.box, result.score) for result in (self, other))
        alike = np.allclose(numbers, others, rtol=0, atol=SAME)
        return alike and (self.present, self.tracklets) == (other.present, other.tracklets)


@dataclass(frozen=True)
class SceneFrame:
    """The D re-detections of a frame: boxes float64 [D, 4], x1, y1, x2, y2 in pixels, and vectors float64 [D, V]."""

    boxes: NDArray[np.float64]
    vectors: NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """A video as re-detections.

    Attributes:
        width, height: of its frames, in pixels.
        frames: the first re-detection of the first one is the target.
        expected: what each frame after the first is to show; None where the file does not say.
    """

    width: float
    height: float
    frames: tuple[SceneFrame, ...]
    expected: tuple[FrameResult, ...] | None

    @property
    def detections(self) -> int:
        """In all its frames."""
        return sum(len(frame.boxes) for frame in self.frames)


def read_scenes(path: Path) -> tuple[Scene, ...]:
    """Read a file of scenes.

    Its form is `{"similarity": ..., "cases": [{"width", "height", "frames": [[{"box", "vector"}]], "expected": [{"box",
    "present", "score", "tracklets"}]}]}`; `similarity` and `expected` may be missing.

    Raises:
        DataError: the file is missing, not JSON, or of another form; case, frame and key at fault are named.
    """
    try:
        with open_json(path) as (file, size):
            require_memory(MEMORY_RATIO * size)
            stream = JsonStream(file)
            content = stream.value()
            stream.finish()
        cases = parsed(_FileEntry, content)
        if cases.similarity != SIMILARITY:
            raise DataError(f"similarity: only {SIMILARITY!r} is known, not {cases.similarity!r}")
        return tuple(_scene(f"case {index}", case) for index, case in enumerate(cases.cases))
    except DataError as error:
        raise DataError(f"cases {path}: {one_line(error)}") from error


def follow(scene: Scene, settings: TdpaSettings) -> tuple[FrameResult, ...]:
    """Follow the target of a scene; a result for each frame after the first."""
    first = scene.frames[0]
    template = first.vectors[0]
    target = settings.begin(first.boxes[0].tolist(), template, scene.width, scene.height)
    results = []
    for frame in scene.frames[1:]:
        found = Redetections(frame.boxes, similarity(template[None], frame.vectors), tuple(frame.vectors))
        needs = target.needs(found.boxes)
        target, outcome = target.advance(found, needs, _answer(needs, frame.vectors))
        box = tuple(outcome.box.tolist())
        results.append(FrameResult(box, outcome.present, outcome.score, target.tracklets))
    return tuple(results)


def similarity(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp of the negative squared distance, float64 [N], of vectors [N, V] and [N, V], or [1, V]."""
    return np.asarray(np.exp(-((first - second) ** 2).sum(axis=1)))


def _answer(needs: Needs[_Vector], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return similarity(np.stack(needs.references)[needs.rows], vectors[needs.detections])


class _FileEntry(Entry):
    similarity: str = SIMILARITY
    cases: list[Any] = Field(min_length=1)


class _CaseEntry(Entry):
    width: Annotated[float, Field(allow_inf_nan=False, ge=1, le=_FARTHEST)]
    height: Annotated[float, Field(allow_inf_nan=False, ge=1, le=_FARTHEST)]
    frames: list[Any] = Field(min_length=1)
    expected: list[Any] | None = None


class _DetectionEntry(Entry):
    box: _Box
    vector: Annotated[list[_Number], Field(min_length=1)]


class _ResultEntry(Entry):
    box: _Box
    present: bool
    score: _Number
    tracklets: Annotated[int, Field(ge=1, le=_FARTHEST)]


def _scene(where: str, content: Any) -> Scene:
    case = _entry(_CaseEntry, where, content)
    frames: list[SceneFrame] = []
    length: int | None = None
    for index, listed in enumerate(case.frames):
        here = f"{where}, frame {index}"
        if not isinstance(listed, list):
            raise DataError(f"{here}: not a list of detections")
        entries = [_detection(f"{here}, detection {number}", entry) for number, entry in enumerate(listed)]
        if not (frames or entries):
            raise DataError(f"{here}: lists no detection; its first one is the target")
        length = len(entries[0].vector) if length is None else length
        for number, entry in enumerate(entries):
            if len(entry.vector) != length:
                lengths = f"{len(entry.vector)}, in the case's first detection {length}"
                raise DataError(f"{here}, detection {number}: vector: its length is {lengths}")
        frames.append(_frame(entries, length))
    return Scene(case.width, case.height, tuple(frames), _expected(where, case))


def _detection(where: str, content: Any) -> _DetectionEntry:
    entry = _entry(_DetectionEntry, where, content)
    left, top, right, bottom = entry.box
    if right < left or bottom < top:
        raise DataError(f"{where}: box: x2, y2 lie left of or above x1, y1")
    return entry


def _frame(entries: Sequence[_DetectionEntry], length: int) -> SceneFrame:
    return SceneFrame(
        boxes=np.array([entry.box for entry in entries], dtype=np.float64).reshape(-1, 4),
        vectors=np.array([entry.vector for entry in entries], dtype=np.float64).reshape(-1, length),
    )


def _expected(where: str, case: _CaseEntry) -> tuple[FrameResult, ...] | None:
    if case.expected is None:
        return None
    wanted = len(case.frames) - 1
    if len(case.expected) != wanted:
        raise DataError(f"{where}: expected: has {len(case.expected)} entries for {wanted} frames after the first")
    entries = [
        _entry(_ResultEntry, f"{where}, frame {index}: expected", content)
        for index, content in enumerate(case.expected, start=1)
    ]
    return tuple(FrameResult(tuple(entry.box), entry.present, entry.score, entry.tracklets) for entry in entries)


def _entry(kind: type[_EntryT], where: str, content: Any) -> _EntryT:
    try:
        return parsed(kind, content)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
