"""The anchor boxes of the region proposal: five shapes at every position of the response."""

import math

import torch
from torch import Tensor

from vis_pipeline.trackers.siammask.architectures import RESPONSE_SIDE, STRIDE

RATIOS = (0.33, 0.5, 1.0, 2.0, 3.0)
SCALE = 8


def anchor_sizes() -> Tensor:
    """Widths and heights in crop pixels, float32 [5, 2]: 104x32, 88x40, 64x64, 40x80, 32x96."""
    sizes = []
    for ratio in RATIOS:
        width = int(math.sqrt(STRIDE * STRIDE / ratio))
        sizes.append((width * SCALE, int(width * ratio) * SCALE))
    return torch.tensor(sizes, dtype=torch.float32)


def anchor_boxes() -> Tensor:
    """All anchors as centre x, centre y, width, height in crop pixels from the crop's centre.

    float32 [5 * 25 * 25, 4]; anchor a at response position (y, x) has index (a * 25 + y) * 25 + x.
    """
    sizes = anchor_sizes()
    steps = (torch.arange(RESPONSE_SIDE) - RESPONSE_SIDE // 2).float() * STRIDE
    grid = (len(sizes), RESPONSE_SIDE, RESPONSE_SIDE)
    columns = [
        steps[None, None, :].expand(grid),
        steps[None, :, None].expand(grid),
        sizes[:, 0, None, None].expand(grid),
        sizes[:, 1, None, None].expand(grid),
    ]
    return torch.stack(columns, dim=-1).reshape(-1, 4)
