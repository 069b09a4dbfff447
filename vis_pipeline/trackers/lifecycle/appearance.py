"""What objects look like, cheaply: histograms of their colours, and how alike two are."""

import numpy as np
import torch
from torch import Tensor

from vis_pipeline.masks.boxes import minmax_boxes

LEVELS = 8
BINS = LEVELS**3
# Of a grey level; a shift takes a tenth of a division's time on a CPU.
_DROPPED_BITS = 5
_SLICE_PIXELS = 2**18


def colour_histograms(image: Tensor, masks: Tensor) -> Tensor:
    """Square roots of the colour frequencies below each mask, float32 [N, BINS]; zeros for an empty mask.

    The scalar product of two rows is their Bhattacharyya coefficient: 1 for equal distributions, 0 without a common
    colour.

    Args:
        image: uint8 [H, W, 3].
        masks: bool [N, H, W].
    """
    codes = colour_codes(image)
    count = counted_in_windows if masks.is_cpu else counted_by_sums
    counts = count(codes, masks)
    return (counts / counts.sum(1, keepdim=True).clamp(min=1)).sqrt()


def colour_codes(image: Tensor) -> Tensor:
    """The colour of each pixel of an image, uint8 [H, W, 3], as a number below BINS: int32 [H, W]."""
    levels = (image >> _DROPPED_BITS).int()
    return (levels[..., 0] * LEVELS + levels[..., 1]) * LEVELS + levels[..., 2]


def counted_in_windows(codes: Tensor, masks: Tensor) -> Tensor:
    """How many pixels of each code, int32 [H, W] below BINS, lie in each mask [N, H, W]: float32 [N, BINS].

    On the CPU: a device would have to be waited for.
    """
    counts = np.zeros((len(masks), BINS), dtype=np.float32)
    pixels, colours = masks.numpy(), codes.numpy()
    for row, mask, (x, y, w, h) in zip(counts, pixels, minmax_boxes(masks).long().tolist(), strict=True):
        window = slice(y, y + h), slice(x, x + w)
        row[:] = np.bincount(colours[window][mask[window]], minlength=BINS)
    return torch.from_numpy(counts)


def counted_by_sums(codes: Tensor, masks: Tensor) -> Tensor:
    """The same on any device, without waiting for it: every pixel adds its truth value to its code's column.

    Float32 counts in ones up to 2^24, so that the order of the sums changes nothing. A slice at a time, so that memory
    does not grow with the frame.
    """
    counts = torch.zeros(len(masks), BINS, device=masks.device)
    slices = torch.split(codes.flatten(), _SLICE_PIXELS), torch.split(masks.flatten(1), _SLICE_PIXELS, dim=1)
    for some, ones in zip(*slices, strict=True):
        counts.index_add_(1, some, ones.float())
    return counts


def blended(known: Tensor, seen: Tensor, rate: float) -> Tensor:
    """What tracks are known by, float32 [N, B], after they were seen once more: rows of length 1.

    `known` is what they were known by, `seen` what they look like now, both [N, B]; `rate` is the weight of the latter.
    """
    return torch.nn.functional.normalize(known + rate * (seen - known), dim=1)
