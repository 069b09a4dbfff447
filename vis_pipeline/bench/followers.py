"""Trackers of one object side by side: each follows the same objects from the true box of their first frame."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.bench.tracker import annotated_objects
from vis_pipeline.data.frames import prefetched, split_frames
from vis_pipeline.errors import DataError
from vis_pipeline.masks.quadrilaterals import quadrilateral_iou
from vis_pipeline.masks.rotated_boxes import minimum_area_box
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.splits import Annotation, Split
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.rotated_box import corners
from vis_pipeline.trackers.siammask.settings import Report
from vis_pipeline.trackers.siammask.single_object import LossSettings, NoFinder, track_object
from vis_pipeline.trackers.single_object import ObjectInFrame


@dataclass(frozen=True)
class Contender:
    """A tracker by its name in the table."""

    name: str
    predictor: SiamMaskPredictor


@dataclass(frozen=True)
class TrueObject:
    """An object of a split from the first frame that shows it on.

    Attributes:
        frames: the video's, from there on.
        box: its upright box x, y, w, h in the first of them, float64 [4].
        shown: its mask, bool [H, W], in each of the others that shows it, by their place in `frames`.
    """

    frames: Sequence[Frame]
    box: NDArray[np.float64]
    shown: dict[int, NDArray[np.bool_]]


@dataclass(frozen=True)
class Standing:
    """How well a tracker followed. Overlaps are over all frames that show their object, the first ones left out.

    Attributes:
        name: the tracker's.
        report: what it reports.
        frames: how many count.
        upright: overlap of its state box with the upright box around the true mask.
        rotated: overlap of its rotated box (of the mask, or the state box itself) with the least rectangle around it.
        at_half, at_seventy: share of the frames whose rotated overlap reaches 0.5 and 0.7.
        region: J of its masks; None where it makes none.
        frames_per_second: of all frames after the first ones, boxes around the masks and run-lengths with them.
    """

    name: str
    report: Report
    frames: int
    upright: float
    rotated: float
    at_half: float
    at_seventy: float
    region: float | None
    frames_per_second: float


@dataclass
class _Tally:
    """What was measured of one tracker."""

    seconds: float = 0.0
    tracked: int = 0
    upright: list[float] = field(default_factory=list)
    rotated: list[float] = field(default_factory=list)
    region: list[float] = field(default_factory=list)


def true_objects(split: Split, frames_dir: Path) -> Iterator[TrueObject]:
    """Every object of a split that shows in two frames or more, video by video; crowds are left out.

    Raises:
        DataError: the split has no annotations, or a frame is missing, damaged or of another size.
    """
    for video, objects in annotated_objects(split):
        shown = [_shown(entry) for entry in objects]
        if any(len(each) > 1 for each in shown):
            frames = [frame for frame in prefetched(split_frames(video, frames_dir)) if isinstance(frame, Frame)]
            yield from (_true_object(frames, each) for each in shown if len(each) > 1)


def compare(contenders: Sequence[Contender], objects: Iterator[TrueObject]) -> list[Standing]:
    """Let each contender follow each object, one after another, so that a busy machine slows all alike.

    Raises:
        DataError: there are no objects; or what :func:`true_objects` raises.
    """
    tallies = [_Tally() for _ in contenders]
    for entry in objects:
        truths = {place: (upright_corners_of(mask), minimum_area_box(mask)) for place, mask in entry.shown.items()}
        for contender, tally in zip(contenders, tallies, strict=True):
            begun = time.perf_counter()
            found = list(track_object(contender.predictor, entry.frames, entry.box, NoFinder(), LossSettings()))
            tally.seconds += time.perf_counter() - begun
            tally.tracked += len(found) - 1
            for place, (upright, rotated) in truths.items():
                _count(tally, found[place], entry.shown[place], upright, rotated)
    if not tallies[0].upright:
        raise DataError("the split given has no object that shows in two frames")
    return [
        _standing(contender.name, contender.predictor.report, tally)
        for contender, tally in zip(contenders, tallies, strict=True)
    ]


def upright_corners_of(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Corners [4, 2] of the upright box around a mask's pixels, bool [H, W], not empty."""
    return corners(masks.bounding_boxes(masks.encode(mask[None]))[0])


def _count(
    tally: _Tally,
    found: ObjectInFrame,
    mask: NDArray[np.bool_],
    upright: NDArray[np.float64],
    rotated: NDArray[np.float64],
) -> None:
    tally.upright.append(quadrilateral_iou(upright, corners(found.box)))
    tally.rotated.append(quadrilateral_iou(rotated, found.rotated_box))
    if found.mask is not None:
        ours = masks.decode(found.mask)
        tally.region.append(float((ours & mask).sum() / (ours | mask).sum()))


def _standing(name: str, report: Report, tally: _Tally) -> Standing:
    rotated = np.array(tally.rotated)
    return Standing(
        name=name,
        report=report,
        frames=len(rotated),
        upright=float(np.mean(tally.upright)),
        rotated=float(rotated.mean()),
        at_half=float((rotated >= 0.5).mean()),
        at_seventy=float((rotated >= 0.7).mean()),
        region=float(np.mean(tally.region)) if tally.region else None,
        frames_per_second=tally.tracked / tally.seconds,
    )


def _shown(entry: Annotation) -> dict[int, NDArray[np.bool_]]:
    """The masks, bool [H, W], that are not empty, by frame."""
    decoded = {frame: masks.decode(rle) for frame, rle in enumerate(entry.segmentations) if rle is not None}
    return {frame: mask for frame, mask in decoded.items() if mask.any()}


def _true_object(frames: Sequence[Frame], shown: dict[int, NDArray[np.bool_]]) -> TrueObject:
    first = min(shown)
    box = masks.bounding_boxes(masks.encode(shown[first][None]))[0]
    later = {frame - first: mask for frame, mask in shown.items() if frame > first}
    return TrueObject(frames[first:], box, later)
