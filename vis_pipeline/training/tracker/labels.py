"""What each anchor and position of the response should say (SiamMask for multiple objects, section 4.5).

Section 4.5 calls a position of the three-branch variant positive where an anchor's IoU with the object is at least
0.6 and negative otherwise; the release, which is followed here, calls anchors below 0.3 negative and leaves out those
between. A position of the two-branch variant is positive where its centre is less than 16 pixels from the object's.
The paper adds "in feature space", but 16 positions of the 25x25 response would reach beyond it: as in SiamFC, the
pixels are those of the search crop.

Anchors are ordered as the heads give them: with R x R positions, anchor a at row y and column x is (a*R + y)*R + x.
R is 25 for search crops of 255 pixels.
"""

import math

import torch
from torch import Generator, Tensor

from vis_pipeline.trackers.siammask.anchors import anchor_sizes
from vis_pipeline.trackers.siammask.architectures import REFINED_MASK_SIDE, SEARCH_SIDE, STRIDE, TEMPLATE_SIDE
from vis_pipeline.training.tracker.crops import MASK_MARGIN

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1
LEAST_WHOLE_SIDE = 175
"""The least side, of those with a position in the middle, whose features the network does not trim."""
_TRIM = 4
"""Positions that it trims at each border of the features of smaller crops."""


def response_side(side: int) -> int:
    """Positions along a side of a search crop's response: 25 for a 255 crop, 3 for one of 143."""
    whole = (side - TEMPLATE_SIDE) // STRIDE + 1 + 2 * _TRIM
    return whole - 2 * _trimmed(side)


def position_centres(side: int = SEARCH_SIDE) -> Tensor:
    """Centres x, y of a search crop's positions, float32 [R * R, 2], in crop pixels; the middle pixel is side // 2."""
    response = response_side(side)
    centres = side // 2 + STRIDE * (torch.arange(response) - response // 2).float()
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([x, y], dim=-1).view(-1, 2)


def search_anchors(side: int = SEARCH_SIDE) -> Tensor:
    """The anchors of a search crop: float32 [A, 4], centre form in crop pixels, the middle pixel being side // 2."""
    places = position_centres(side)[None]
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

    In a pair that is not `positive` (bool [N]) every anchor is negative. Boxes and anchors are centre form, crop
    pixels.
    """
    iou = box_iou(anchors[None], boxes[:, None])
    labels = torch.full(iou.shape, IGNORED, device=iou.device)
    labels[iou < negative_iou] = NEGATIVE
    labels[iou >= positive_iou] = POSITIVE
    labels[~positive] = NEGATIVE
    return labels


def middle_only(labels: Tensor, positive: Tensor, reach: int) -> Tensor:
    """Labels [N, A] in which pairs that are not `positive` keep those up to `reach` positions from the middle.

    The rest become IGNORED. The release has 3: nearer the middle, where the other object is, there is more to learn.
    """
    response = _response_of(labels)
    apart = (torch.arange(response, device=labels.device) - response // 2).abs()
    outside = (apart[:, None] > reach) | (apart > reach)
    ignored = outside.flatten().repeat(len(anchor_sizes())) & ~positive[:, None]
    return labels.masked_fill(ignored, IGNORED)


def similarity_labels(centres: Tensor, boxes: Tensor, positive: Tensor, radius: float) -> Tensor:
    """Label P positions of the two-branch variant in N search crops: int64 [N, P] of POSITIVE and NEGATIVE.

    `centres` are [P, 2] x, y and `boxes` [N, 4] centre form, in crop pixels. POSITIVE is less than `radius` from the
    box's centre; in a pair that is not `positive` (bool [N]) nothing is.
    """
    distance = torch.linalg.vector_norm(centres[None] - boxes[:, None, :2], dim=2)
    return torch.where((distance < radius) & positive[:, None], POSITIVE, NEGATIVE)


def box_offsets(anchors: Tensor, boxes: Tensor) -> Tensor:
    """What the box branch should give for each anchor: [N, 4, A] of dx/w, dy/h, ln(w ratio), ln(h ratio) (eq. 6).

    The text prints the fourth term without its logarithm; the release has it, as SiamRPN does.
    """
    shift = (boxes[:, None, :2] - anchors[None, :, :2]) / anchors[None, :, 2:]
    ratio = torch.log(boxes[:, None, 2:] / anchors[None, :, 2:])
    return torch.cat([shift, ratio], dim=2).transpose(1, 2)


def sample_labels(
    labels: Tensor, positive: Tensor, scores: Tensor, positives: int, samples: int, hard: float, generator: Generator
) -> Tensor:
    """Keep at most `positives` positives and, with the negatives, `samples` labels a pair; the rest become IGNORED.

    A share `hard` of the negatives are those with the highest `scores` [N, A], the others are drawn at random. A pair
    that is not `positive`, bool [N], keeps as many negatives as another has positives at most, as the release does.
    """
    order = torch.rand(labels.shape, generator=generator, device=labels.device)
    kept = torch.full_like(labels, IGNORED)
    kept[_first(labels == POSITIVE, order, torch.full((len(labels),), positives, device=labels.device))] = POSITIVE
    found = (kept == POSITIVE).sum(1)
    wanted = torch.where(positive, samples - found, positives)
    hardest = (wanted * hard).round().long()
    negative = labels == NEGATIVE
    kept[_first(negative, -scores.float(), hardest)] = NEGATIVE
    kept[_first(negative & (kept == IGNORED), order, wanted - hardest)] = NEGATIVE
    return kept


def positive_positions(labels: Tensor) -> Tensor:
    """Where some anchor is positive: bool [N, R * R] from labels [N, A]."""
    shapes = len(anchor_sizes())
    return (labels == POSITIVE).view(len(labels), shapes, -1).any(1)


def mask_positions(positive: Tensor, per_pair: int, generator: Generator) -> Tensor:
    """Some positive positions, at most `per_pair` of each pair: int64 [M, 3] of pair, y, x from bool [N, R * R]."""
    response = math.isqrt(positive.shape[1])
    order = torch.rand(positive.shape, generator=generator, device=positive.device)
    limit = torch.full((len(positive),), per_pair, device=positive.device)
    pair, cell = torch.nonzero(_first(positive, order, limit), as_tuple=True)
    return torch.stack([pair, cell // response, cell % response], dim=1)


def mask_windows(masks: Tensor, positions: Tensor) -> Tensor:
    """The target masks of positions: bool [M, 127, 127] from masks [N, S + 64, S + 64] with their margin of 32."""
    windows = masks.unfold(1, REFINED_MASK_SIDE, STRIDE).unfold(2, REFINED_MASK_SIDE, STRIDE)
    pair, y, x = positions.unbind(1)
    trimmed = _trimmed(masks.shape[1] - 2 * MASK_MARGIN)
    return windows[pair, y + trimmed, x + trimmed]


def _trimmed(side: int) -> int:
    """Positions that are missing at each border of the response of a search crop."""
    return 0 if side >= LEAST_WHOLE_SIDE else _TRIM


def _response_of(labels: Tensor) -> int:
    return math.isqrt(labels.shape[1] // len(anchor_sizes()))


def _first(candidates: Tensor, order: Tensor, count: Tensor) -> Tensor:
    """Of each row's candidates the `count` [N] first in ascending `order`, as a bool mask."""
    ranked = torch.where(candidates, order, torch.inf).argsort(1)
    places = torch.empty_like(ranked)
    places.scatter_(1, ranked, torch.arange(ranked.shape[1], device=ranked.device).expand_as(ranked))
    return candidates & (places < count[:, None])
