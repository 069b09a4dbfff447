"""The losses of SiamMask (multiple-object paper, sections 3.2 and 4.3), balanced as the release does."""

import torch.nn.functional as F
from torch import Tensor

from vis_pipeline.training.tracker.labels import NEGATIVE, POSITIVE


def score_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of logits [N, 2, A] (background, target): half the positives' mean, half the negatives'."""
    elements = F.cross_entropy(logits.float(), labels.clamp(min=0), reduction="none")
    return (_mean(elements, labels == POSITIVE) + _mean(elements, labels == NEGATIVE)) / 2


def box_loss(offsets: Tensor, targets: Tensor, labels: Tensor) -> Tensor:
    """L1 of the offsets [N, 4, A], summed over the four, at positive anchors: each pair's mean, averaged over pairs.

    A pair without positives counts as a pair with loss 0.
    """
    positive = labels == POSITIVE
    share = positive / positive.sum(1, keepdim=True).clamp(min=1)
    distance = (offsets.float() - targets).abs().sum(1)
    return (distance * share).sum() / len(labels)


def mask_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean binary logistic loss of mask logits [M, h, w] against bool targets [M, h, w]; 0 where M is 0 (eq. 10)."""
    if not len(logits):
        return logits.float().sum()
    return F.softplus(logits.float() * (1 - 2 * targets.float())).mean()


def _mean(elements: Tensor, chosen: Tensor) -> Tensor:
    return (elements * chosen).sum() / chosen.sum().clamp(min=1)
