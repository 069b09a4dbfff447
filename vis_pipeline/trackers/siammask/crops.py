"""Square crops around targets, as the official release cuts them, with its rounding.

On the CPU OpenCV cuts, one square after another; on any other device, and where a square is so large that filling what
lies outside the image would take longest, the same integers come from batched gathers.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.trackers.siammask.gathers import gathered_crops

# Side in pixels from which gathers are faster than filling a square at its full size.
LARGEST_FILLED = 3000


def mean_colour(image: Tensor) -> Tensor:
    """Channel means of a uint8 image [H, W, 3], truncated to uint8 [3]: the colour outside the image."""
    return (image.sum((0, 1), dtype=torch.int64) // (image.shape[0] * image.shape[1])).to(torch.uint8)


def crop(image: Tensor, centres: Tensor, sides: Tensor, padding: Tensor, size: int) -> Tensor:
    """Cut N squares out of an image and resize them to uint8 [N, size, size, 3].

    Args:
        image: uint8 [H, W, 3].
        centres: float64 [N, 2], x, y in image pixels.
        sides: int64 [N], sides of the squares in image pixels.
        padding: uint8 [N, 3], the colour of what lies outside the image.
        size: side of the crops.
    """
    corners = torch.round(centres - (sides[:, None] + 1) / 2).long()
    if image.device.type != "cpu":
        return gathered_crops(image, corners, sides, padding, size)
    crops = torch.empty((len(sides), size, size, 3), dtype=torch.uint8)
    large = sides > LARGEST_FILLED
    if large.any():
        crops[large] = gathered_crops(image, corners[large], sides[large], padding[large], size)
    for index in (~large).nonzero()[:, 0].tolist():
        square = _cut(image.numpy(), corners[index].tolist(), int(sides[index]), padding[index].tolist())
        cv2.resize(square, (size, size), dst=crops[index].numpy(), interpolation=cv2.INTER_LINEAR)
    return crops


def _cut(image: NDArray[np.uint8], corner: list[int], side: int, colour: list[int]) -> NDArray[np.uint8]:
    """A square of an image, uint8 [side, side, 3], `colour` where it reaches beyond."""
    height, width = image.shape[:2]
    left, right = (min(max(x, 0), width) for x in (corner[0], corner[0] + side))
    top, bottom = (min(max(y, 0), height) for y in (corner[1], corner[1] + side))
    if (right - left, bottom - top) == (side, side):
        return image[top:bottom, left:right]
    if right == left or bottom == top:
        return np.full((side, side, 3), colour, dtype=np.uint8)
    beyond = (top - corner[1], corner[1] + side - bottom, left - corner[0], corner[0] + side - right)
    square = cv2.copyMakeBorder(image[top:bottom, left:right], *beyond, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(square)
