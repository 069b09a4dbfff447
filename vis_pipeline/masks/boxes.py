"""Boxes of dense masks on any device."""

import torch
from torch import Tensor


def minmax_boxes(masks: Tensor) -> Tensor:
    """Axis-aligned boxes of bool masks [N, H, W]: float64 [N, 4], x, y, w, h in pixels; zeros for an empty mask.

    The "Min-max" box of SiamMask multi-object, section 4.4: pixel column c spans c to c + 1.
    """
    left, right = _extent(masks.any(dim=1))
    top, bottom = _extent(masks.any(dim=2))
    boxes = torch.stack([left, top, right - left, bottom - top], dim=1).double()
    return boxes * masks.flatten(1).any(1)[:, None]


def _extent(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """First occupied index and one past the last, of bool [N, L]."""
    occupied = occupied.to(torch.uint8)
    length = occupied.shape[1]
    return occupied.argmax(1), length - occupied.flip(1).argmax(1)
