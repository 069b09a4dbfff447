"""Choosing the target's place and size from scores of positions alone, as SiamFC does: a search crop for each size."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vis_pipeline.trackers.siammask.architectures import RESPONSE_SIDE, STRIDE, TEMPLATE_SIDE
from vis_pipeline.trackers.siammask.geometry import template_sides
from vis_pipeline.trackers.siammask.selection import Selection, clamp_centres, clamp_sizes
from vis_pipeline.trackers.siammask.settings import ScaleSearchSettings


@dataclass(frozen=True)
class ScalePriors:
    """What is known before any score, on the tracker's device.

    Attributes:
        factors: float64 [K], by which the last size is multiplied.
        penalties: float32 [K], what a response counts for that has changed the size.
        window: float32 [S * S], the motion prior over the enlarged response, of sum 1.
    """

    factors: Tensor
    penalties: Tensor
    window: Tensor

    @classmethod
    def on(cls, device: torch.device, settings: ScaleSearchSettings) -> "ScalePriors":
        """The priors on a device."""
        factors = settings.factors
        hanning = np.hanning(_enlarged_side(settings))
        window = np.outer(hanning, hanning).ravel()
        return cls(
            torch.tensor(factors, dtype=torch.float64, device=device),
            torch.tensor([1.0 if factor == 1 else settings.penalty for factor in factors], device=device),
            torch.from_numpy(window / window.sum()).float().to(device),
        )


def select_over_scales(
    logits: Tensor, centres: Tensor, sizes: Tensor, limits: Tensor, settings: ScaleSearchSettings, priors: ScalePriors
) -> Selection:
    """Pick the size whose best response is best, then the best windowed place in its response.

    As in SiamFC's release responses are taken raw. There the penalty raises those below 0; here it lowers them, too.
    There sizes stay within a fifth and five times of the first; here, as everywhere, within 10 pixels and the image.

    Args:
        logits: float32 [N, K, 25, 25], of search crops of K sizes.
        centres: float64 [N, 2], x, y of the state boxes around which the crops were cut.
        sizes: float64 [N, 2], w, h of the state boxes.
        limits: float64 [N, 2], width and height of the image that each target is in.
        settings: penalties and smoothing.
        priors: the sizes tried, and the window.
    """
    targets = torch.arange(len(logits), device=logits.device)
    side = _enlarged_side(settings)
    # Corner on corner: the response's positions stay where they are, and the middle one is the enlarged map's middle.
    enlarged = F.interpolate(logits.float(), (side, side), mode="bicubic", align_corners=True)
    peaks = enlarged.amax((2, 3))
    best = (peaks - (1 - priors.penalties) * peaks.abs()).argmax(1)
    raw = enlarged[targets, best].flatten(1)
    response = raw - raw.amin(1, keepdim=True)
    response = response / response.sum(1, keepdim=True).clamp_min(torch.finfo(response.dtype).tiny)
    influence = settings.window_influence
    peak = (response * (1 - influence) + priors.window * influence).argmax(1)
    places = torch.stack([peak // side, peak % side], dim=1)
    factor = priors.factors[best][:, None]
    scale = TEMPLATE_SIDE / template_sides(sizes * factor)[:, None]
    shift = (places.flip(1) - side // 2) * (STRIDE / settings.upsampling) / scale
    return Selection(
        positions=(places + settings.upsampling // 2) // settings.upsampling,
        scores=raw.gather(1, peak[:, None])[:, 0].sigmoid(),
        located_centres=clamp_centres(centres + shift, limits),
        located_sizes=clamp_sizes(sizes * factor, limits),
        sizes=clamp_sizes(sizes * (1 + (factor - 1) * settings.rate), limits),
    )


def _enlarged_side(settings: ScaleSearchSettings) -> int:
    return (RESPONSE_SIDE - 1) * settings.upsampling + 1
