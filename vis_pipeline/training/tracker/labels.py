"""What each anchor and position of the response should say (SiamMask for multiple objects, section 4.5).

Anchors are ordered as the heads give them: with R x R positions, anchor a at row y and column x is (a*R + y)*R + x.
R is 25 for search crops of 255 pixels.
"""

import math

import torch
from torch import Generator, Tensor

from vis_pipeline.siammask.anchors import anchor_sizes
from vis_pipeline.siammask.architectures import REFINED_MASK_SIDE, SEARCH_SIDE, STRIDE, TEMPLATE_SIDE

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1
SEARCH_SURPLUS = 9
"""A response has (side - 127) / 8 + 9 positions along a side: 25 for a 255 crop (the release's base size 8, plus 1)."""


def search_anchors(side: int = SEARCH_SIDE) -> Tensor:
    """The anchors of a search crop: float32 [A, 4], centre form in crop pixels, the middle pixel being side // 2."""
    response = (side - TEMPLATE_SIDE) // STRIDE + SEARCH_SURPLUS
    centres = side // 2 + STRIDE * (torch.arange(response) - response // 2).float()
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    places = torch.stack([x, y], dim=-1).view(1, -1, 2)
    sizes = anchor_sizes()[:, None]
    shape = (sizes.shape[0], places.shape[1], 2)
    return torch.cat([places.expand(shape), sizes.expand(shape)], dim=-1).reshape(-1, 4)


def box_iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU of centre-form boxes (x, y, w, h), broadcast over the leading axes."""
    low = torch.maximum(first[..., :2] - first[..., 2:] / 2, second[..., :2] - second[..., 2:] / 2)
    high = torch.minimum(first[..., :2] + first[..., 2:] / 2, second[..., :2] + second[..., 2:] / 2)
    intersection = (high - low).clamp(min=0).prod(-1)
    return intersection / (first[..., 2:].prod(-1) + second[..., 2:].prod(-1) - intersection)


def anchor_labels(anchors: Tensor, boxes: Tensor, positive: Tensor, positive_iou: float, negative_iou: float) -> Tensor:
    """Label [A] anchors in N search crops: int64 [N, A] of POSITIVE, NEGATIVE or IGNORED.

    In a pair that is not `positive` every anchor is negative. Boxes and anchors are centre form, crop pixels.
    """
    iou = box_iou(anchors[None], boxes[:, None])
    labels = torch.full(iou.shape, IGNORED, device=iou.device)
    labels[iou < negative_iou] = NEGATIVE
    labels[iou >= positive_iou] = POSITIVE
    labels[~positive] = NEGATIVE
    return labels


def box_offsets(anchors: Tensor, boxes: Tensor) -> Tensor:
    """What the box branch should give for each anchor: [N, 4, A] of dx/w, dy/h, ln(w ratio), ln(h ratio) (eq. 6)."""
    shift = (boxes[:, None, :2] - anchors[None, :, :2]) / anchors[None, :, 2:]
    ratio = torch.log(boxes[:, None, 2:] / anchors[None, :, 2:])
    return torch.cat([shift, ratio], dim=2).transpose(1, 2)


def sample_labels(
    labels: Tensor, scores: Tensor, positives: int, samples: int, hard: float, generator: Generator
) -> Tensor:
    """Keep at most `positives` positives and, with the negatives, `samples` labels a pair; the rest become IGNORED.

    A share `hard` of the negatives are those with the highest `scores` [N, A], the others are drawn at random. A pair
    without positives keeps as many negatives as a pair could have positives, as the release does.
    """
    order = torch.rand(labels.shape, generator=generator, device=labels.device)
    kept = torch.full_like(labels, IGNORED)
    kept[_first(labels == POSITIVE, order, torch.full((len(labels),), positives, device=labels.device))] = POSITIVE
    found = (kept == POSITIVE).sum(1)
    wanted = torch.where(found > 0, samples - found, positives)
    hardest = (wanted * hard).round().long()
    negative = labels == NEGATIVE
    kept[_first(negative, -scores.float(), hardest)] = NEGATIVE
    kept[_first(negative & (kept == IGNORED), order, wanted - hardest)] = NEGATIVE
    return kept


def mask_positions(labels: Tensor, per_pair: int, generator: Generator) -> Tensor:
    """Positions at which some anchor is positive, at most `per_pair` of each pair: int64 [M, 3] of pair, y, x."""
    shapes = len(anchor_sizes())
    response = math.isqrt(labels.shape[1] // shapes)
    positive = (labels == POSITIVE).view(len(labels), shapes, -1).any(1)
    order = torch.rand(positive.shape, generator=generator, device=labels.device)
    limit = torch.full((len(labels),), per_pair, device=labels.device)
    pair, cell = torch.nonzero(_first(positive, order, limit), as_tuple=True)
    return torch.stack([pair, cell // response, cell % response], dim=1)


def mask_windows(masks: Tensor, positions: Tensor) -> Tensor:
    """The target masks of positions: bool [M, 127, 127] from masks [N, S + 64, S + 64] with their margin of 32."""
    windows = masks.unfold(1, REFINED_MASK_SIDE, STRIDE).unfold(2, REFINED_MASK_SIDE, STRIDE)
    pair, y, x = positions.unbind(1)
    return windows[pair, y, x]


def _first(candidates: Tensor, order: Tensor, count: Tensor) -> Tensor:
    """Of each row's candidates the `count` [N] first in ascending `order`, as a bool mask."""
    ranked = torch.where(candidates, order, torch.inf).argsort(1)
    places = torch.empty_like(ranked)
    places.scatter_(1, ranked, torch.arange(ranked.shape[1], device=ranked.device).expand_as(ranked))
    return candidates & (places < count[:, None])
