"""Checks of polygons from outside: pycocotools crashes on some and fills the memory with others."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from vis_pipeline.errors import DataError

FEWEST_POINTS = 3
# Pixels. pycocotools keeps five points for each pixel of an outline, in 32-bit integers.
FARTHEST = 100_000
LONGEST_OUTLINE = 1_000_000


def require_sound(polygons: Sequence[Any]) -> None:
    """Check one mask's polygons, each a flat list x, y, x, y, ... in pixels; they may reach out of the picture.

    Raises:
        DataError: one of them is no such list, has fewer than three points, a coordinate that is not finite or far
            outside every picture, or an outline of more than a million pixels. Its index is named.
    """
    for index, polygon in enumerate(polygons):
        fault = _fault(polygon)
        if fault is not None:
            raise DataError(f"polygon {index}: {fault}")


def _fault(polygon: Any) -> str | None:
    if not (isinstance(polygon, list) and all(type(value) in (int, float) for value in polygon)):
        return "not a list of numbers"
    if len(polygon) % 2 or len(polygon) < 2 * FEWEST_POINTS:
        return f"{len(polygon)} numbers, not an x and a y for each of three or more points"
    if not all(abs(value) <= FARTHEST for value in polygon):
        return f"a coordinate that is not finite, or more than {FARTHEST} pixels away"
    points = np.array(polygon, dtype=np.float64).reshape(-1, 2)
    outline = np.abs(points - np.roll(points, 1, axis=0)).max(axis=1).sum()
    return f"an outline of more than {LONGEST_OUTLINE} pixels" if outline > LONGEST_OUTLINE else None
