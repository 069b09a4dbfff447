"""VOT's two experiments on one sequence (Kristan et al., VOT-2016 to 2019, and PyPI's vot-toolkit)."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from evaluation.single_object.regions import corners_of, region_overlaps
from evaluation.single_object.vot import FAILED, INITIALISED, SKIPPED, UNKNOWN
from evaluation.single_object.vot_folders import TrueRegions
from vis_pipeline.data.frames import ImageFrames, prefetched
from vis_pipeline.errors import DataError
from vis_pipeline.protocols.benchmark import Trackers
from vis_pipeline.protocols.vot.regions import Region, region_of, upright_box
from vis_pipeline.structures.frames import BadFrame, Frame

Report: TypeAlias = Callable[[int], None]


@dataclass(frozen=True)
class VotVideo:
    """What an experiment runs on.

    Attributes:
        name: of the sequence.
        images: its frames' files.
        truth: as many regions.
        size: width and height in pixels, which regions are clipped to.
    """

    name: str
    images: tuple[Path, ...]
    truth: TrueRegions
    size: tuple[int, int]


@dataclass(frozen=True)
class Outcome:
    """What came of one frame.

    Attributes:
        result: the region, or a code: 0 not tracked, 1 a start, 2 a failure.
        seconds: that the tracker took, without the reading of the image; None where it was not asked.
    """

    result: Region | int
    seconds: float | None


Experiment: TypeAlias = Callable[[VotVideo, Trackers, Report], list[Outcome]]

_NOT_TRACKED = Outcome(UNKNOWN, None)


def supervised(video: VotVideo, trackers: Trackers, report: Report) -> list[Outcome]:
    """Track with resets: where the region no longer meets the true one it failed, and starts anew five frames later.

    Raises:
        UserError: a frame cannot be read, or the tracker cannot start from the truth.
    """
    outcomes: list[Outcome] = []
    while (start := len(outcomes)) < len(video.images):
        for region, seconds in _followed(video, trackers, start):
            frame = len(outcomes)
            if frame == start:
                outcomes.append(Outcome(INITIALISED, seconds))
            elif _meets(region, video, frame):
                outcomes.append(Outcome(region, seconds))
            else:
                waited = min(SKIPPED - 1, len(video.images) - frame - 1)
                outcomes += [Outcome(FAILED, seconds), *[_NOT_TRACKED] * waited]
                report(1 + waited)
                break
            report(1)
    return outcomes


def unsupervised(video: VotVideo, trackers: Trackers, report: Report) -> list[Outcome]:
    """Track from the first frame to the last, whatever comes of it.

    Raises:
        UserError: see :func:`supervised`.
    """
    outcomes: list[Outcome] = []
    for region, seconds in _followed(video, trackers, 0):
        outcomes.append(Outcome(region if outcomes else INITIALISED, seconds))
        report(1)
    return outcomes


def _meets(region: Region, video: VotVideo, frame: int) -> bool:
    """Whether a region shares a pixel of the image with the truth of a frame."""
    truth = video.truth.corners[frame]
    return bool(region_overlaps(corners_of(region)[None], truth[None], video.size)[0] > 0)


def _followed(video: VotVideo, trackers: Trackers, start: int) -> Iterator[tuple[Region, float]]:
    """Regions, and the seconds that they took, from the frame `start` on, whose truth the tracker is given."""
    frames = _Waited(_frames(video, start))
    following = trackers.follow(frames, upright_box(video.truth.rows[start]))
    while True:
        begun, waited = time.perf_counter(), frames.seconds
        found = next(following, None)
        if found is None:
            return
        region = region_of(found, trackers.boxes)
        yield region, time.perf_counter() - begun - (frames.seconds - waited)


class _Waited:
    """Frames, and the `seconds` for which they were waited for."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = iter(frames)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        begun = time.perf_counter()
        try:
            return next(self._frames)
        finally:
            self.seconds += time.perf_counter() - begun


def _frames(video: VotVideo, start: int) -> Iterator[Frame]:
    width, height = video.size
    source = ImageFrames(0, video.name, video.images[start:], (height, width), on_bad_frame="skip")
    for footage in prefetched(source):
        if isinstance(footage, BadFrame):
            raise DataError(f"frame {footage.name}: {footage.reason}")
        if isinstance(footage, Frame):
            yield footage
