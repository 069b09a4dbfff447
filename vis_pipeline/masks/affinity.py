"""Affinity of detections and predictions: mask IoU (SiamMask multi-object, section 5)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.masks.boxes import minmax_boxes

SLICE_PIXELS = 2**18


def mask_iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU of every pair of bool masks [M, H, W] and [N, H, W]: float32 [M, N] on their device.

    Two empty masks have IoU 0. Exact up to 2^24 pixels a mask, where float32 still counts in ones.
    """
    count = common_in_windows if first.is_cpu else common_by_products
    intersection = count(first, second)
    areas = [mask_areas(masks).float() for masks in (first, second)]
    union = areas[0][:, None] + areas[1][None] - intersection
    return torch.where(union > 0, intersection / union.clamp(min=1), torch.zeros_like(union))


def common_in_windows(first: Tensor, second: Tensor) -> Tensor:
    """Common pixels of every pair of masks [M, H, W] and [N, H, W] on the CPU, float32 [M, N].

    They are counted where the masks' boxes overlap, which most do not.
    """
    one = minmax_boxes(first).long().numpy()
    other = one if second is first else minmax_boxes(second).long().numpy()
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum((one[:, :2] + one[:, 2:])[:, None], (other[:, :2] + other[:, 2:])[None])
    common = np.zeros((len(one), len(other)), dtype=np.float32)
    pixels, others = first.numpy(), second.numpy()
    for row, column in np.argwhere((low < high).all(axis=2)).tolist():
        (left, top), (right, bottom) = low[row, column].tolist(), high[row, column].tolist()
        window = slice(top, bottom), slice(left, right)
        common[row, column] = np.count_nonzero(pixels[row][window] & others[column][window])
    return torch.from_numpy(common)


def common_by_products(first: Tensor, second: Tensor) -> Tensor:
    """The same on any device, without waiting for it: products of whole masks.

    They become float32 a slice at a time, so that memory does not grow with the frame.
    """
    common = torch.zeros(len(first), len(second), device=first.device)
    slices = (torch.split(masks.flatten(1), SLICE_PIXELS, dim=1) for masks in (first, second))
    for one, other in zip(*slices, strict=True):
        ones = one.float()
        common += ones @ (ones if first is second else other.float()).T
    return common


def mask_areas(masks: Tensor) -> Tensor:
    """Pixels of bool masks [N, H, W], int64 [N] on their device."""
    if masks.is_cpu:  # where PyTorch's sum of truth values takes twenty times as long
        return torch.tensor([np.count_nonzero(mask) for mask in masks.numpy()], dtype=torch.int64)
    return masks.flatten(1).sum(1)


def in_stacks(masks: Tensor, pixels: int) -> tuple[Tensor, ...]:
    """Masks [N, H, W] in stacks of about so many pixels, for what makes more of each; one mask is in each at least."""
    return torch.split(masks, max(1, pixels // max(1, masks.shape[1] * masks.shape[2])))


def shifted(masks: Tensor, shifts: NDArray[np.int64]) -> Tensor:
    """Bool masks [N, H, W], each moved by its x, y of `shifts` [N, 2] pixels; what leaves the frame is gone."""
    moved = torch.zeros_like(masks)
    height, width = masks.shape[1:]
    for mask, target, (x, y) in zip(masks, moved, shifts.tolist(), strict=True):
        if abs(x) < width and abs(y) < height:
            target[max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)] = mask[
                max(-y, 0) : height - max(y, 0), max(-x, 0) : width - max(x, 0)
            ]
    return moved


def share_inside(
    overlaps: NDArray[np.floating], areas: NDArray[np.number], others: NDArray[np.number]
) -> NDArray[np.float64]:
    """The part of each of M masks that lies inside each of N others, float64 [M, N], from their IoU [M, N] and areas.

    An empty mask lies inside nothing.
    """
    both = areas[:, None] + others[None]
    intersection = overlaps * both / (1 + overlaps)
    return np.where(areas[:, None] > 0, intersection / np.maximum(areas[:, None], 1), 0.0)


def with_sides(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes x1, y1, x2, y2 [N, 4] as x, y, w, h."""
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


def box_intersections(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """The area that every pair of boxes x, y, w, h has in common: [M, 4] and [N, 4] give float64 [M, N]."""
    low, high = first[:, None, :2], (first[:, :2] + first[:, 2:])[:, None]
    other_low, other_high = second[None, :, :2], (second[:, :2] + second[:, 2:])[None]
    common = np.clip(np.minimum(high, other_high) - np.maximum(low, other_low), 0, None)
    return np.asarray(common.prod(axis=2))


def box_iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """IoU of every pair of boxes x, y, w, h: [M, 4] and [N, 4] give float64 [M, N]; 0 for two without area."""
    common = box_intersections(first, second)
    union = first[:, 2:].prod(axis=1)[:, None] + second[:, 2:].prod(axis=1)[None] - common
    return np.where(union > 0, common / np.where(union > 0, union, 1), 0.0)


def box_giou(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Generalised IoU (Rezatofighi 2019) of every pair of boxes x, y, w, h: [M, 4] and [N, 4] give float64 [M, N].

    1 for equal boxes, towards -1 the farther they are from each other beside their size; -1 for two without area.
    """
    low, high = first[:, None, :2], (first[:, :2] + first[:, 2:])[:, None]
    other_low, other_high = second[None, :, :2], (second[:, :2] + second[:, 2:])[None]
    common = box_intersections(first, second)
    union = first[:, 2:].prod(axis=1)[:, None] + second[:, 2:].prod(axis=1)[None] - common
    hull = (np.maximum(high, other_high) - np.minimum(low, other_low)).prod(axis=2)
    return np.where(union > 0, common / np.where(union > 0, union, 1) + union / np.where(hull > 0, hull, 1) - 1, -1.0)
