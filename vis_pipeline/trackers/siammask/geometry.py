"""How large a square of the image SiamMask looks at: a box with its context, as the release and training take it."""

import numpy as np
import torch
from torch import Tensor

from vis_pipeline.trackers.siammask.architectures import SEARCH_SIDE, TEMPLATE_SIDE

CONTEXT = 0.5


def template_sides(sizes: Tensor) -> Tensor:
    """Sides in image pixels, float64 [N], of the square with context around boxes of w, h (float64 [N, 2])."""
    context = CONTEXT * sizes.sum(1)
    return torch.sqrt((sizes[:, 0] + context) * (sizes[:, 1] + context))


def search_sides(sizes: Tensor) -> Tensor:
    """Sides in image pixels, float64 [N], of the search region: the template's square grown to 255 / 127."""
    sides = template_sides(sizes)
    margin = (SEARCH_SIDE - TEMPLATE_SIDE) / 2
    return sides + 2 * (margin / (TEMPLATE_SIDE / sides))


def rounded(sides: Tensor) -> Tensor:
    """Whole sides, int64 [N], half to even, at least one pixel."""
    return torch.round(sides).long().clamp_min(1)


def context_side(width: float, height: float) -> float:
    """Side of the exemplar's window around a box, in pixels: sqrt((w + p)(h + p)) with p half of w + h."""
    padding = CONTEXT * (width + height)
    return float(np.sqrt((width + padding) * (height + padding)))
