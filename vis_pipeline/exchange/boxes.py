"""Boxes where masks are asked for: rectangles."""

import math
from collections.abc import Sequence

import numpy as np

from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle, encode
from vis_pipeline.structures.splits import Video

BOXES = "{count} boxes without a mask became rectangular masks"


def rectangle(box: Sequence[float], video: Video) -> Rle:
    """The mask of a box x, y, w, h in pixels from the top left corner, its edges rounded and cut off at the frame's.

    Raises:
        DataError: a number is not finite, or a side is negative.
    """
    if not all(math.isfinite(value) for value in box) or min(box[2:]) < 0:
        raise DataError(f"box {list(box)}: not x, y, w, h in pixels")
    x, y, w, h = box
    left, right = _within(x, video.width), _within(x + w, video.width)
    top, bottom = _within(y, video.height), _within(y + h, video.height)
    mask = np.zeros((1, video.height, video.width), dtype=np.bool_)
    mask[0, top:bottom, left:right] = True
    return encode(mask)[0]


def _within(edge: float, end: int) -> int:
    return min(max(math.floor(edge + 0.5), 0), end)
