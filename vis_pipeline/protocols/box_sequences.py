"""Sequences whose objects are boxes, and what comes of following one through its images."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.data.image_files import image_paths
from vis_pipeline.errors import DataError
from vis_pipeline.masks.rotated_boxes import minmax_box, optimal_box
from vis_pipeline.protocols.benchmark import BoxKind, Trackers
from vis_pipeline.protocols.reading import Reading, whole_frames
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.single_object import ObjectInFrame


@dataclass(frozen=True)
class BoxSequence:
    """One object in some images of a folder.

    Attributes:
        name: as its results are called.
        folder: of the images.
        first: how many images of the folder, in the natural order of their names, come before it.
        length: its frames.
        box: x, y, w, h in the first of them; pixels from the image's top-left corner.
    """

    name: str
    folder: Path
    first: int
    length: int
    box: tuple[float, float, float, float]

    def frames(self) -> Iterator[Frame]:
        """Its frames.

        Raises:
            DataError: one is missing, damaged or of another size.
        """
        paths = image_paths(self.folder)[self.first : self.first + self.length]
        if len(paths) < self.length:
            raise DataError(f"{self.folder}: {len(paths)} images, {self.length} expected")
        yield from whole_frames(self.name, paths)


@dataclass(frozen=True)
class FollowedBoxes:
    """What came of a sequence.

    Attributes:
        boxes: float64 [F, 4], x, y, w, h a frame; pixels from the image's top-left corner. The first is the given one.
        seconds: float64 [F], that the tracker took, without the reading of images.
    """

    boxes: NDArray[np.float64]
    seconds: NDArray[np.float64]


def box_rows(boxes: NDArray[np.float64]) -> str:
    """Boxes [F, 4] as the benchmarks have them: a line each, commas between the numbers."""
    return "".join(",".join(f"{value:.4f}" for value in box) + "\n" for box in boxes)


def follow_boxes(given: BoxSequence, trackers: Trackers, report: Callable[[int], None]) -> FollowedBoxes:
    """Follow a sequence's object; `report` is called with the frames done since the last call.

    Raises:
        DataError: a frame cannot be read, or the box lies outside the first one.
    """
    boxes: list[NDArray[np.float64]] = []
    seconds: list[float] = []
    reading = Reading(given.frames())
    followed = trackers.follow(reading, np.array(given.box))
    while True:
        begun, reading.seconds = time.perf_counter(), 0.0
        found = next(followed, None)
        if found is None:
            break
        boxes.append(upright_box(found, trackers.boxes))
        seconds.append(time.perf_counter() - begun - reading.seconds)
        report(1)
    return FollowedBoxes(np.stack(boxes), np.array(seconds))


def upright_box(found: ObjectInFrame, kind: BoxKind) -> NDArray[np.float64]:
    """Where the object is, as an upright box x, y, w, h, float64 [4].

    `state` is the tracker's own; of a mask's box, which may be turned, the upright box around it is taken, as the
    release does where a benchmark has no rotated ones. Without a mask it is the tracker's own, too.
    """
    if kind == "state" or found.mask is None:
        return found.box
    if kind == "mbr":
        corners = found.rotated_box
    else:
        mask = masks.decode(found.mask)
        if not mask.any():
            return found.box
        corners = minmax_box(mask) if kind == "min-max" else optimal_box(mask)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return np.concatenate([low, high - low])
