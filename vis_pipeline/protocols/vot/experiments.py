"""VOT's two experiments on one sequence (Kristan et al., VOT-2016 to 2019, and PyPI's vot-toolkit)."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from evaluation.single_object.regions import corners_of, region_overlaps
from evaluation.single_object.vot import FAILED, INITIALISED, SKIPPED, UNKNOWN
from evaluation.single_object.vot_folders import TrueRegions
from vis_pipeline.errors import DataError
from vis_pipeline.protocols.benchmark import Trackers
from vis_pipeline.protocols.reading import Reading, whole_frames
from vis_pipeline.protocols.vot.regions import Region, region_of, upright_box

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
    if not _meets(video.truth.rows[start], video, start):
        raise DataError(f"frame {video.images[start].name}: the true region is outside the image; nothing starts there")
    width, height = video.size
    frames = Reading(whole_frames(video.name, video.images[start:], (height, width)))
    following = trackers.follow(frames, upright_box(video.truth.rows[start]))
    while True:
        begun, frames.seconds = time.perf_counter(), 0.0
        found = next(following, None)
        if found is None:
            return
        region = region_of(found, trackers.boxes)
        yield region, time.perf_counter() - begun - frames.seconds
