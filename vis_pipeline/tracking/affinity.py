"""Affinity of detections and predictions: mask IoU (SiamMask multi-object, section 5)."""

import torch
from torch import Tensor

SLICE_PIXELS = 2**18


def mask_iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU of every pair of bool masks [M, H, W] and [N, H, W]: float32 [M, N] on their device.

    Two empty masks have IoU 0. Exact up to 2^24 pixels a mask, where float32 still counts in ones. The masks become
    float32 a slice at a time, so that memory does not grow with the frame.
    """
    flat = first.flatten(1), second.flatten(1)
    intersection = torch.zeros(len(first), len(second), device=first.device)
    for one, other in zip(*(torch.split(masks, SLICE_PIXELS, dim=1) for masks in flat), strict=True):
        intersection += one.float() @ other.float().T
    union = flat[0].sum(1).float()[:, None] + flat[1].sum(1).float()[None] - intersection
    return torch.where(union > 0, intersection / union.clamp(min=1), torch.zeros_like(union))


def minmax_boxes(masks: Tensor) -> Tensor:
    """Axis-aligned boxes of bool masks [N, H, W]: float64 [N, 4], x, y, w, h in pixels; zeros for an empty mask.

    The "Min-max" box of SiamMask multi-object, section 4.4: pixel column c spans c to c + 1.
    """
    columns = masks.any(dim=1)
    rows = masks.any(dim=2)
    left, right = _extent(columns)
    top, bottom = _extent(rows)
    boxes = torch.stack([left, top, right - left, bottom - top], dim=1).double()
    return boxes * masks.flatten(1).any(1)[:, None]


def _extent(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """First occupied index and one past the last, of bool [N, L]."""
    occupied = occupied.to(torch.uint8)
    length = occupied.shape[1]
    return occupied.argmax(1), length - occupied.flip(1).argmax(1)
