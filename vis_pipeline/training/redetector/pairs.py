"""Choosing what is learned from: a template, the same object in another sight, and boxes there to compare it with."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from mmdet.structures.bbox import bbox_overlaps
from numpy.random import Generator
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.trackers.siam_rcnn.redetector import STAGE_IOUS
from vis_pipeline.training.redetector.looks import moved_boxes
from vis_pipeline.training.redetector.settings import PairSettings
from vis_pipeline.training.redetector.store import TRUE, VideoFeatures
from vis_pipeline.training.tracker.sources import TrainingSet

_FARTHEST = 0.4
"""Most that a moved box is shifted, as a share of its sides, and changed in the logarithm of each."""


@dataclass(frozen=True)
class ObjectTable:
    """The R stored boxes of objects, of all videos; all arrays are [R].

    Attributes:
        video: the box's video.
        row: its place among the boxes of its video.
        object: its object, as an index into the training set's.
        frame: the frame that it is in.
        sight: its sight, as an index into its video's.
        clear: whether it may be a template (see :class:`~vis_pipeline.training.tracker.sources.TrainingObject`).
    """

    video: NDArray[np.int64]
    row: NDArray[np.int64]
    object: NDArray[np.int64]
    frame: NDArray[np.int64]
    sight: NDArray[np.int64]
    clear: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.video)


def object_table(data: TrainingSet, stored: Sequence[VideoFeatures]) -> ObjectTable:
    """The table of a training set's features, video by video."""
    counts = [len(features.objects) for features in stored]
    objects = [
        np.array(video.objects, dtype=np.int64)[features.objects]
        for video, features in zip(data.videos, stored, strict=True)
    ]
    frames = [features.frames[features.sights] for features in stored]
    clear = [
        np.array([frame in data.objects[number].clear for number, frame in zip(own, seen, strict=True)], dtype=np.bool_)
        for own, seen in zip(objects, frames, strict=True)
    ]
    return ObjectTable(
        video=np.repeat(np.arange(len(stored)), counts),
        row=np.concatenate([np.arange(count) for count in counts]),
        object=np.concatenate(objects),
        frame=np.concatenate(frames),
        sight=np.concatenate([features.sights for features in stored]),
        clear=np.concatenate(clear),
    )


@dataclass(frozen=True)
class Pair:
    """What one template is compared with.

    Attributes:
        template, target: rows of the :class:`ObjectTable`: the object, and the same object in the target's sight.
        boxes: float32 [K, 4], x1, y1, x2, y2 in pixels of the target's frame.
    """

    template: int
    target: int
    boxes: NDArray[np.float32]


class PairSampler:
    """Draws pairs. It keeps no state: a pair depends on the generator alone.

    Raises:
        DataError: no object is seen twice.
    """

    def __init__(
        self, data: TrainingSet, table: ObjectTable, stored: Sequence[VideoFeatures], settings: PairSettings
    ) -> None:
        self._table = table
        self._stored = stored
        self._settings = settings
        order = np.argsort(table.object, kind="stable")
        ends = np.searchsorted(table.object[order], np.arange(len(data.objects) + 1))
        self._rows = [order[start:end] for start, end in pairwise(ends)]
        seen_twice = [len(rows) > 1 and bool(table.clear[rows].any()) for rows in self._rows]
        weights = np.where(seen_twice, data.weights, 0.0)
        if not weights.any():
            raise DataError("sources: no object is seen in two frames, or in two variants of a frame")
        self._shares = np.cumsum(weights)

    def rows_of(self, number: int) -> NDArray[np.int64]:
        """The rows of an object."""
        return self._rows[number]

    def draw(self, rng: Generator) -> Pair:
        """One pair; template and target are different sights, near enough to each other where the settings say so."""
        number = int(np.searchsorted(self._shares, rng.random() * self._shares[-1], side="right"))
        rows = self._rows[min(number, len(self._rows) - 1)]
        template = int(rng.choice(rows[self._table.clear[rows]]))
        others = rows[rows != template]
        gaps = np.abs(self._table.frame[others] - self._table.frame[template])
        limit = self._settings.max_gap
        near = others if limit is None else others[gaps <= max(limit, gaps.min())]
        target = int(rng.choice(near))
        return Pair(template, target, self._regions(target, rng))

    def _regions(self, target: int, rng: Generator) -> NDArray[np.float32]:
        """Boxes of the target's frame: proposals, and the objects' boxes, true and moved."""
        video, sight = self._stored[self._table.video[target]], int(self._table.sight[target])
        own = np.flatnonzero(video.sights == sight)
        true = video.boxes[own, TRUE]
        place = int(np.flatnonzero(own == self._table.row[target])[0])
        around = [
            moved_boxes(true.astype(np.float64), rng.uniform(0, _FARTHEST), video.size, rng)
            for _ in range(self._settings.moved)
        ]
        boxes = np.concatenate([video.proposals_of(sight), true, *around]).astype(np.float32)
        boxes = boxes[(boxes[:, 2:] - boxes[:, :2] >= 1).all(1)]
        overlaps = bbox_overlaps(torch.from_numpy(boxes), torch.from_numpy(true)).numpy()
        chosen = chosen_regions(overlaps[:, place], np.delete(overlaps, place, axis=1), self._settings, rng)
        regions: NDArray[np.float32] = boxes[chosen]
        return regions


def chosen_regions(
    own: NDArray[np.float32], others: NDArray[np.float32], settings: PairSettings, rng: Generator
) -> NDArray[np.int64]:
    """Which of K boxes are compared with the template: the positive ones first, then those on other objects.

    Args:
        own: float32 [K], IoU of each box with the template's object.
        others: float32 [K, M], IoU with the frame's other objects.
        settings: how many of each kind.
        rng: draws among those of a kind.
    """
    positive = own >= STAGE_IOUS[0]
    on_others = ~positive & (others >= STAGE_IOUS[0]).any(1)
    positives = _some(np.flatnonzero(positive), round(settings.positives * settings.regions), rng)
    free = settings.regions - len(positives)
    distractors = _some(np.flatnonzero(on_others), round(settings.objects * free), rng)
    rest = _some(np.flatnonzero(~positive & ~on_others), free - len(distractors), rng)
    return np.concatenate([positives, distractors, rest])


def _some(indices: NDArray[np.int64], count: int, rng: Generator) -> NDArray[np.int64]:
    return rng.permutation(indices)[:count]
