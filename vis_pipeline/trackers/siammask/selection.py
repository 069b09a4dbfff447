"""Choosing the target among the anchors, and its next box, for N targets at once."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vis_pipeline.trackers.siammask.anchors import anchor_boxes
from vis_pipeline.trackers.siammask.architectures import RESPONSE_SIDE, STRIDE, TEMPLATE_SIDE
from vis_pipeline.trackers.siammask.geometry import template_sides
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings

SMALLEST_SIDE = 10.0


@dataclass(frozen=True)
class Selection:
    """The best anchor of each of N targets; pixels are the image's.

    Attributes:
        positions: int64 [N, 2], y and x in the response.
        scores: float32 [N], the best anchor's score, without penalty and window.
        located_centres: float64 [N, 2], x, y of the best box, clamped to the image.
        located_sizes: float64 [N, 2], w, h of the best box, unsmoothed, clamped.
        sizes: float64 [N, 2], w, h smoothed towards the best box, clamped.
    """

    positions: Tensor
    scores: Tensor
    located_centres: Tensor
    located_sizes: Tensor
    sizes: Tensor


@dataclass(frozen=True)
class Priors:
    """What is known before any score, kept on the tracker's device: to copy it there in every frame is to wait for it.

    Attributes:
        anchors: float32 [4, k*25*25], centre x, y, w, h in crop pixels from the crop's centre.
        window: the motion prior over the response, float64 [25 * 25].
    """

    anchors: Tensor
    window: Tensor

    @classmethod
    def on(cls, device: torch.device) -> "Priors":
        """The priors on a device."""
        hanning = np.hanning(RESPONSE_SIDE)
        window = torch.from_numpy(np.outer(hanning, hanning).ravel())
        return cls(anchor_boxes().to(device).T, window.to(device))


def select_boxes(
    scores: Tensor,
    offsets: Tensor,
    centres: Tensor,
    sizes: Tensor,
    limits: Tensor,
    settings: SiamMaskSettings,
    priors: Priors,
) -> Selection:
    """Pick the anchor whose penalised, windowed score is best, and decode its box.

    Args:
        scores: logits, float32 [N, 2k, 25, 25].
        offsets: float32 [N, 4k, 25, 25].
        centres: float64 [N, 2], x, y of the state boxes around which the search crops were cut.
        sizes: float64 [N, 2], w, h of the state boxes.
        limits: float64 [N, 2], width and height of the image that each target is in.
        settings: penalties and smoothing.
        priors: anchors and window.
    """
    targets = torch.arange(len(scores), device=scores.device)
    probabilities = scores.reshape(len(scores), 2, -1).softmax(1)[:, 1]
    boxes = decode(offsets.reshape(len(offsets), 4, -1), priors.anchors)
    scale = TEMPLATE_SIDE / template_sides(sizes)
    penalties = change_penalty(boxes[:, 2].double(), boxes[:, 3].double(), sizes * scale[:, None], settings.penalty_k)
    anchors = boxes.shape[2] // RESPONSE_SIDE**2
    window = priors.window.repeat(anchors)
    best = windowed(penalties * probabilities, window, settings.window_influence).argmax(1)
    score = probabilities[targets, best]
    chosen = boxes[targets, :, best].double() / scale[:, None]
    located_centres = clamp_centres(centres + chosen[:, :2], limits)
    rate = (penalties[targets, best] * score * settings.size_rate)[:, None]
    return Selection(
        positions=response_positions(best),
        scores=score,
        located_centres=located_centres,
        located_sizes=clamp_sizes(chosen[:, 2:], limits),
        sizes=clamp_sizes(sizes * (1 - rate) + chosen[:, 2:] * rate, limits),
    )


def select_positions(
    scores: Tensor, centres: Tensor, sizes: Tensor, limits: Tensor, settings: SiamMaskSettings, priors: Priors
) -> Selection:
    """The choice where a mask tells the size: the best windowed position of logits [N, 1, 25, 25], at the last size."""
    probabilities = scores.flatten(1).sigmoid()
    best = windowed(probabilities.double(), priors.window, settings.window_influence).argmax(1)
    positions = response_positions(best)
    scale = TEMPLATE_SIDE / template_sides(sizes)
    shift = (positions.flip(1) - RESPONSE_SIDE // 2) * STRIDE / scale[:, None]
    return Selection(
        positions=positions,
        scores=probabilities.gather(1, best[:, None])[:, 0],
        located_centres=clamp_centres(centres + shift, limits),
        located_sizes=sizes,
        sizes=sizes,
    )


def decode(offsets: Tensor, anchors: Tensor) -> Tensor:
    """Boxes float32 [N, 4, k*25*25] (centre x, y from the crop's centre, w, h; crop pixels) from offsets alike."""
    moved = offsets[:, :2] * anchors[2:] + anchors[:2]
    return torch.cat([moved, offsets[:, 2:].exp() * anchors[2:]], dim=1)


def change_penalty(widths: Tensor, heights: Tensor, sizes: Tensor, penalty_k: float) -> Tensor:
    """exp(-(r * s - 1) * k) for changes of ratio r and scale s against `sizes` [N, 2]; boxes are [N, A]."""
    candidates = torch.stack([widths, heights], dim=2)
    scales = template_sides(candidates.flatten(0, 1)).view_as(widths) / template_sides(sizes)[:, None]
    ratios = (sizes[:, 0] / sizes[:, 1])[:, None] / (widths / heights)
    return torch.exp(-(_change(ratios) * _change(scales) - 1) * penalty_k)


def windowed(scores: Tensor, window: Tensor, influence: float) -> Tensor:
    """Scores float64 [N, A] blended with the motion prior [A]."""
    return scores * (1 - influence) + window * influence


def response_positions(best: Tensor) -> Tensor:
    """Response y, x, int64 [N, 2], of flat anchor indices [N]."""
    cell = best % RESPONSE_SIDE**2
    return torch.stack([cell // RESPONSE_SIDE, cell % RESPONSE_SIDE], dim=1)


def clamp_centres(centres: Tensor, limits: Tensor) -> Tensor:
    """Keep x, y [N, 2] within images of widths and heights `limits` [N, 2]."""
    return torch.minimum(centres.clamp_min(0), limits)


def clamp_sizes(sizes: Tensor, limits: Tensor) -> Tensor:
    """Keep w, h [N, 2] within those of the images, `limits` [N, 2], and, above all, at least 10."""
    return torch.minimum(sizes, limits).clamp_min(SMALLEST_SIDE)


def _change(factor: Tensor) -> Tensor:
    return torch.maximum(factor, 1 / factor)
