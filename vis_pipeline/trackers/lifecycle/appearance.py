"""What objects look like, cheaply: histograms of their colours, and how alike two are."""

import torch
from torch import Tensor

LEVELS = 8
BINS = LEVELS**3
# Of a grey level; a shift takes a tenth of a division's time on a CPU.
_DROPPED_BITS = 5
_SLICE_PIXELS = 2**18
# What is made of each pixel of a mask takes forty times its byte.
COUNTED_PIXELS = 2**23


def colour_histograms(image: Tensor, masks: Tensor) -> Tensor:
    """Square roots of the colour frequencies below each mask, float32 [N, BINS]; zeros for an empty mask.

    The scalar product of two rows is their Bhattacharyya coefficient: 1 for equal distributions, 0 without a common
    colour.

    Args:
        image: uint8 [H, W, 3].
        masks: bool [N, H, W].
    """
    levels = (image.flatten(0, 1) >> _DROPPED_BITS).int()
    codes = (levels[:, 0] * LEVELS + levels[:, 1]) * LEVELS + levels[:, 2]
    count = counted_one_by_one if masks.is_cpu else counted_by_sums
    counts = count(codes, masks.flatten(1))
    return (counts / counts.sum(1, keepdim=True).clamp(min=1)).sqrt()


def counted_one_by_one(codes: Tensor, masks: Tensor) -> Tensor:
    """How many pixels of each code, int32 [P] below BINS, lie in each mask, bool [N, P]: float32 [N, BINS].

    Looks at the masks' own pixels only, but a device would have to be waited for: how many there are is in its memory.
    """
    stacks = torch.split(masks, max(1, COUNTED_PIXELS // max(1, masks.shape[1])))
    return torch.cat([_bins(codes, stack) for stack in stacks])


def _bins(codes: Tensor, masks: Tensor) -> Tensor:
    mask, pixel = masks.nonzero(as_tuple=True)
    return torch.bincount(mask * BINS + codes[pixel], minlength=len(masks) * BINS).view(len(masks), BINS).float()


def counted_by_sums(codes: Tensor, masks: Tensor) -> Tensor:
    """The same on any device, without waiting for it: every pixel adds its truth value to its code's column.

    Float32 counts in ones up to 2^24, so that the order of the sums changes nothing. A slice at a time, so that memory
    does not grow with the frame.
    """
    counts = torch.zeros(len(masks), BINS, device=masks.device)
    for some, ones in zip(torch.split(codes, _SLICE_PIXELS), torch.split(masks, _SLICE_PIXELS, dim=1), strict=True):
        counts.index_add_(1, some, ones.float())
    return counts


def blended(known: Tensor, seen: Tensor, rate: float) -> Tensor:
    """What tracks are known by, float32 [N, B], after they were seen once more: rows of length 1.

    `known` is what they were known by, `seen` what they look like now, both [N, B]; `rate` is the weight of the latter.
    """
    return torch.nn.functional.normalize(known + rate * (seen - known), dim=1)
