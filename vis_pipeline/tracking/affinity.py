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
