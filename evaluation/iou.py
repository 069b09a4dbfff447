"""Intersection over union of whole tracks, by run-length masks alone: no mask is ever decoded to pixels.

A track is a sequence with one entry a frame: an :class:`~vis_pipeline.masks.Rle`, or None where the object is absent.
Tracks that are compared have the same number of frames, and their masks the same size.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from vis_pipeline import masks
from vis_pipeline.masks import Rle

Track = Sequence[Rle | None]


def mask_areas(tracks: Sequence[Track], frames: int) -> NDArray[np.int64]:
    """Pixels of every mask, int64 [N, frames]; 0 where a track is null."""
    areas = np.zeros((len(tracks), frames), dtype=np.int64)
    visible = _visible(tracks, frames)
    areas[visible] = masks.area([rle for track in tracks for rle in track if rle is not None])
    return areas


def mean_areas(areas: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean over the frames in which an object has pixels, float64 [N], from areas [N, F]; 0 where it never has any."""
    means: NDArray[np.float64] = areas.sum(axis=1) / np.maximum(np.count_nonzero(areas, axis=1), 1)
    return means


def track_iou(
    first: Sequence[Track],
    second: Sequence[Track],
    first_areas: NDArray[np.int64],
    second_areas: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Video-level IoU of every pair, float64 [N, M]: the sum of intersections over the sum of unions of all frames.

    Where one track of a pair is null the other's area counts in the union. Two tracks without a pixel have IoU 0.
    `first_areas` [N, F] and `second_areas` [M, F] are those of :func:`mask_areas`.
    """
    intersections = track_intersections(first, second, first_areas)
    unions = first_areas.sum(axis=1)[:, None] + second_areas.sum(axis=1)[None, :] - intersections
    iou: NDArray[np.float64] = intersections / np.maximum(unions, 1)
    return iou


def track_intersections(
    first: Sequence[Track], second: Sequence[Track], first_areas: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Common pixels over all frames of every pair of tracks, exact, int64 [N, M]."""
    total = np.zeros((len(first), len(second)), dtype=np.int64)
    frames = first_areas.shape[1]
    first_visible, second_visible = _visible(first, frames), _visible(second, frames)
    for frame in np.flatnonzero(first_visible.any(axis=0) & second_visible.any(axis=0)):
        rows, columns = np.flatnonzero(first_visible[:, frame]), np.flatnonzero(second_visible[:, frame])
        # Against a crowd pycocotools divides by the first mask's own area, so one multiplication gives the pixels back;
        # the rounding undoes the division's last bit.
        covered = coco_mask.iou(
            [first[row][frame] for row in rows],
            [second[column][frame] for column in columns],
            np.ones(len(columns), dtype=np.uint8),
        )
        common = np.rint(covered * first_areas[rows, frame, None]).astype(np.int64)
        total[rows[:, None], columns] += common
    return total


def _visible(tracks: Sequence[Track], frames: int) -> NDArray[np.bool_]:
    flags = [[rle is not None for rle in track] for track in tracks]
    return np.array(flags, dtype=np.bool_).reshape(len(tracks), frames)
