"""The file of one tracked object that `sot` writes: where the object is in each frame, and how it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from vis_pipeline import masks
from vis_pipeline.data.entries import Entry, one_line, parsed
from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import read_json
from vis_pipeline.masks import Rle


@dataclass(frozen=True)
class ObjectInFrame:
    """The object in one frame; pixels from the image's top-left corner.

    Attributes:
        box: the state box x, y, w, h, float64 [4].
        score: the tracking score.
        mask: its mask, or none, as in the first frame.
        rotated_box: four corners x, y, float64 [4, 2].
    """

    box: NDArray[np.float64]
    score: float
    mask: Rle | None
    rotated_box: NDArray[np.float64]


@dataclass(frozen=True)
class ObjectTrack:
    """One object through one video.

    Attributes:
        found: by the frame's name: its file's, or for a video file its index as text.
        source: the video file or the folder of the frames, where the file says so.
        size: height and width of a frame in pixels, where the file or one of its masks says so.
        facts: how it was found, as the file says: tracker, preset, stages, weights.
    """

    found: Mapping[str, ObjectInFrame]
    source: Path | None
    size: tuple[int, int] | None
    facts: Sequence[str]


_Number = Annotated[float, Field(allow_inf_nan=False)]
_Point = Annotated[list[_Number], Field(min_length=2, max_length=2)]


class _FrameEntry(Entry):
    frame: str | int
    box: Annotated[list[_Number], Field(min_length=4, max_length=4)]
    score: _Number
    segmentation: Any = None
    rotated_box: Annotated[list[_Point], Field(min_length=4, max_length=4)]


class _TrackEntry(Entry):
    frames: list[_FrameEntry] = Field(min_length=1)
    source: str | None = None
    height: PositiveInt | None = None
    width: PositiveInt | None = None
    preset: str | None = None
    stages: int | None = None
    weights: str | None = None
    tracker: str | None = None
    selection: str | None = None
    redetector: str | None = None


def read_object_track(path: Path) -> ObjectTrack:
    """Read and check a track.

    Raises:
        DataError: the file is missing, damaged, or not what `sot` writes; the frame at fault is named.
    """
    try:
        return object_track(read_json(path))
    except DataError as error:
        raise DataError(f"track {path}: {one_line(error)}") from error


def object_track(content: Any) -> ObjectTrack:
    """The track in the form of its file's content.

    Raises:
        DataError: it is not what `sot` writes.
    """
    if isinstance(content, list):
        raise DataError("a list, not the track of one object; is it a run's results.json? Then give the run's folder")
    entry = parsed(_TrackEntry, content)
    names = [str(frame.frame) for frame in entry.frames]
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise DataError(f"frame {twice} is there more than once")
    size = _size(entry)
    segmentations = masks.from_segmentations([frame.segmentation for frame in entry.frames], *(size or (0, 0)))
    found = {
        name: ObjectInFrame(np.array(frame.box), frame.score, mask, np.array(frame.rotated_box))
        for name, frame, mask in zip(names, entry.frames, segmentations, strict=True)
    }
    stages = {1: "one stage", 2: "two stages"}.get(entry.stages or 0)
    preset = f"preset {entry.preset}" if entry.preset else None
    facts = [entry.tracker, entry.selection, preset, stages, entry.weights, entry.redetector]
    return ObjectTrack(found, Path(entry.source) if entry.source else None, size, [fact for fact in facts if fact])


def _size(entry: _TrackEntry) -> tuple[int, int] | None:
    """Height and width that the file states, or that its first mask has."""
    if entry.height is not None and entry.width is not None:
        return entry.height, entry.width
    for frame in entry.frames:
        size = frame.segmentation.get("size") if isinstance(frame.segmentation, dict) else None
        if isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size):
            return size[0], size[1]
    return None
