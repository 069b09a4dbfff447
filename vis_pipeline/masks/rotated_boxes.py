"""Boxes from masks, the three ways of SiamMask 2019, section 3.2, and of its multi-object paper, section 4.4.

*Min-max* is the upright box, *MBR* the rectangle of least area around the mask, *Opt* the rectangle that overlaps the
mask best when background inside weighs less than the rest (after Vojir and Matas, "Pixel-wise object segmentations for
the VOT 2016 dataset"). All take a mask as the union of its pixels: column c spans c to c + 1. Boxes are four corners
x, y in pixels, float64 [4, 2], clockwise in the image.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.masks import rectangle_search
from vis_pipeline.masks.quadrilaterals import upright_corners

# What a background pixel inside the rectangle weighs beside one of the object. SiamMask's papers do not state it; this
# is the value by which D3S (Lukezic et al. 2020), a tracker by authors of VOT, fits its boxes to masks.
BACKGROUND_WEIGHT = 0.25


def minmax_box(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Min-max: the smallest upright box around a mask, bool [H, W].

    Raises:
        DataError: the mask is empty.
    """
    return upright_corners(_outermost(mask).astype(np.float64))


def minimum_area_box(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """MBR: the rectangle of least area around all pixels of a mask, bool [H, W].

    Unlike the release's (:func:`vis_pipeline.trackers.siammask.rotated_box.rotated_box`) it takes all parts, and pixels
    whole.

    Raises:
        DataError: the mask is empty.
    """
    return rectangle_around(_outermost(mask).astype(np.float32))


def rectangle_around(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """The rectangle of least area around points x, y, float32 [P, 2], not all of them the same.

    One of its sides lies on a side of the convex hull (Freeman and Shapira 1975), so all of them are tried.
    """
    hull = cv2.convexHull(points).reshape(-1, 2).astype(np.float64)
    sides = np.roll(hull, -1, axis=0) - hull
    along = sides / np.hypot(*sides.T)[:, None]
    axes = np.stack([along, np.stack([-along[:, 1], along[:, 0]], axis=1)], axis=1)
    places = axes @ hull.T
    low, high = places.min(axis=2), places.max(axis=2)
    best = int((high - low).prod(axis=1).argmin())
    return np.asarray(upright_corners(np.stack([low[best], high[best]])) @ axes[best])


def optimal_box(mask: NDArray[np.bool_], background_weight: float = BACKGROUND_WEIGHT) -> NDArray[np.float64]:
    """Opt: the rectangle that overlaps a mask, bool [H, W], best when background inside weighs less than the rest.

    It maximises :func:`weighted_overlap`. That has many local maxima: the search starts from MBR, from Min-max and from
    the rectangle that has the mask's moments, and the best of the three ends is taken; each is at least as good as its
    start. What of a rectangle lies outside the picture is background.

    Raises:
        DataError: the mask is empty.
    """
    upright = minmax_box(mask)
    (left, top), (right, bottom) = upright[0].astype(int).tolist(), upright[2].astype(int).tolist()
    window = mask[top:bottom, left:right]
    sums = rectangle_search.row_sums(window)
    starts = [minimum_area_box(window), upright - upright[0], _of_moments(window)]
    area = float(sums[:, -1].sum())
    found, _ = rectangle_search.best_of(
        sums, np.stack([rectangle_search.parameters(start) for start in starts]), area, background_weight
    )
    return np.asarray(rectangle_search.corners(found) + upright[0])


def optimal_boxes(
    masks: Sequence[NDArray[np.bool_]], background_weight: float = BACKGROUND_WEIGHT, threads: int = 1
) -> NDArray[np.float64]:
    """Opt of many masks, float64 [N, 4, 2]; the search runs without Python's lock, so threads share them.

    Raises:
        DataError: one of the masks is empty.
    """
    with ThreadPoolExecutor(threads) as pool:
        boxes = list(pool.map(lambda mask: optimal_box(mask, background_weight), masks))
    return np.array(boxes, dtype=np.float64).reshape(-1, 4, 2)


def covered(mask: NDArray[np.bool_], box: NDArray[np.float64]) -> float:
    """The area of a mask, bool [H, W], inside a rectangle [4, 2], in square pixels, exact up to rounding."""
    return float(rectangle_search.covered(rectangle_search.row_sums(mask), np.ascontiguousarray(box)))


def weighted_overlap(
    mask: NDArray[np.bool_], box: NDArray[np.float64], background_weight: float = BACKGROUND_WEIGHT
) -> float:
    """Object inside / (object inside + object outside + weight x background inside), of areas.

    With weight 1 it is the IoU of the rectangle and the mask. 0 for an empty mask.
    """
    inside = covered(mask, box)
    sides = np.hypot(*(box[1:3] - box[:2]).T)
    total = np.count_nonzero(mask) + background_weight * (float(sides.prod()) - inside)
    return inside / total if total > 0 else 0.0


def _outermost(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The corners x, y of each row's first and last pixel, int64 [P, 2]."""
    rows = np.flatnonzero(mask.any(axis=1))
    if len(rows) == 0:
        raise DataError("a mask without pixels has no box")
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    columns, lines = np.concatenate([first, last, first, last]), np.concatenate([rows, rows, rows + 1, rows + 1])
    return np.stack([columns, lines], axis=1)


def _of_moments(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The rectangle with a mask's centre and second moments, which is the mask itself where that is a rectangle."""
    y, x = np.nonzero(mask)
    points = np.stack([x, y], axis=1) + 0.5
    # A pixel's own moment is a twelfth, and a side's is a twelfth of its square.
    moments, axes = np.linalg.eigh(np.cov(points.T, bias=True) + np.eye(2) / 12)
    half = np.sqrt(12 * moments) / 2
    if np.linalg.det(axes) < 0:
        axes[:, 1] *= -1
    ends = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    return np.asarray(ends @ axes.T + points.mean(axis=0))
