"""Overlap of VOT's regions, counted in pixels as the challenge's toolkit (PyPI's vot-toolkit) counts them.

Corners are rounded to whole pixels. A polygon owns the pixels on its edges; a rectangle of width w has w columns, so
that it is the polygon that ends at its last column. In each row a region reaches from its first edge to its last: exact
for convex ones, as four corners are but for a prediction that crosses itself, which is filled.

Two habits of the toolkit are not repeated: regions that are together one pixel thin overlap there by 1 wherever they
are, and by 0 where one pixel of thickness is left of them at the image's edge.
"""

import numpy as np
from numpy.typing import NDArray

Corners = NDArray[np.float64]
Values = NDArray[np.float64]
Spans = tuple[NDArray[np.float64], NDArray[np.float64]]


def corners_of(region: NDArray[np.float64]) -> Corners:
    """The corner pixels of x, y, width, height [4] or of a polygon x1, y1 ... x4, y4 [8], float64 [4, 2].

    NaN if a number is not finite or a rectangle has no pixel.
    """
    rounded = np.round(region)
    if not np.isfinite(rounded).all():
        return np.full((4, 2), np.nan)
    if len(region) == 8:
        return rounded.reshape(4, 2)
    left, top, width, height = rounded
    if width < 1 or height < 1:
        return np.full((4, 2), np.nan)
    right, bottom = left + width - 1, top + height - 1
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def region_overlaps(first: Corners, second: Corners, size: tuple[int, int]) -> Values:
    """Intersection over union of the pixels of regions inside an image.

    Args:
        first: float64 [F, 4, 2], corner pixels of :func:`corners_of`; NaN where there is none.
        second: float64 [F, 4, 2].
        size: width and height of the image in pixels.

    Returns:
        float64 [F]; 0 where a region is missing or lies outside.
    """
    overlaps = np.zeros(len(first))
    for index in np.flatnonzero(np.isfinite(first).all(axis=(1, 2)) & np.isfinite(second).all(axis=(1, 2))):
        overlaps[index] = _overlap(first[index], second[index], size)
    return overlaps


def _overlap(first: Corners, second: Corners, size: tuple[int, int]) -> float:
    both = np.concatenate([first, second])
    origin = np.maximum(both.min(axis=0), 0)
    shape = np.minimum(both.max(axis=0), np.array(size) - 1) - origin + 1
    if (shape <= 0).any():
        return 0.0
    rows = np.arange(shape[1])
    one, other = (_spans(region - origin, rows, shape[0]) for region in (first, second))
    common = _pixels((np.maximum(one[0], other[0]), np.minimum(one[1], other[1])))
    union = _pixels(one) + _pixels(other) - common
    return common / union if union else 0.0


def _spans(corners: Corners, rows: NDArray[np.float64], width: float) -> Spans:
    """First and last column of a region in each row, within 0 to `width` - 1; first above last where there is none."""
    starts, ends = np.roll(corners, 1, axis=0), corners
    lows, highs = np.minimum(starts[:, 1], ends[:, 1]), np.maximum(starts[:, 1], ends[:, 1])
    touched = (lows[:, None] <= rows) & (rows <= highs[:, None])
    drop = starts[:, 1] - ends[:, 1]
    along = (rows - ends[:, 1, None]) / np.where(drop == 0, 1, drop)[:, None]
    # Columns are cut to whole ones, not rounded.
    columns = np.trunc(ends[:, 0, None] + along * (starts[:, 0] - ends[:, 0])[:, None])
    first = np.where(touched, columns, np.inf).min(axis=0)
    last = np.where(touched, columns, -np.inf).max(axis=0)
    return np.maximum(first, 0), np.minimum(last, width - 1)


def _pixels(spans: Spans) -> float:
    return float(np.maximum(spans[1] - spans[0] + 1, 0).sum())
