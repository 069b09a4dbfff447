"""Masks that overlap: which one is on top, and which ones lie on others."""

import torch
from torch import Tensor

from vis_pipeline.masks.affinity import mask_areas


def smallest_on_top(masks: Tensor) -> Tensor:
    """Masks bool [N, H, W] without common pixels: each is that of the smallest mask that has it (section 3.4).

    Of masks of the same size the earlier one is on top.
    """
    layered = torch.zeros_like(masks)
    free = torch.ones(masks.shape[1:], dtype=torch.bool, device=masks.device)
    for index in mask_areas(masks).argsort(stable=True).tolist():
        layered[index] = masks[index] & free
        free = free & ~masks[index]
    return layered


def covered_by_confirmed(masks: Tensor, confirmed: Tensor, share: float) -> Tensor:
    """Which masks, bool [N, H, W], of those that are not confirmed, bool [N], lie on the confirmed ones, bool [N].

    They do if more than this share of their pixels does.
    """
    on_them = masks[confirmed].any(dim=0)
    common, areas = mask_areas(masks & on_them), mask_areas(masks)
    return ~confirmed & (common > share * areas)
