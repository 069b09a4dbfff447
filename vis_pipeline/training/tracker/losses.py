"""The losses of SiamMask (multiple-object paper, sections 3.1, 3.2 and 4.3), balanced as the release does."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vis_pipeline.training.tracker.labels import NEGATIVE, POSITIVE


def score_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of logits [N, 2, A] (background, target): half the positives' mean, half the negatives'.

    Equation 5 has the mean over all anchors; the release weighs both kinds alike.
    """
    elements = F.cross_entropy(logits.float(), labels.clamp(min=0), reduction="none")
    return (_mean(elements, labels == POSITIVE) + _mean(elements, labels == NEGATIVE)) / 2


def box_loss(offsets: Tensor, targets: Tensor, labels: Tensor) -> Tensor:
    """L1 of the offsets [N, 4, A], summed over the four, at positive anchors: each pair's mean, averaged over pairs.

    A pair without positives counts as a pair with loss 0. The smooth L1 of equation 7 has a parameter that the paper
    does not give; the release's plain L1 is its limit.
    """
    positive = labels == POSITIVE
    share = positive / positive.sum(1, keepdim=True).clamp(min=1)
    distance = (offsets.float() - targets).abs().sum(1)
    return (distance * share).sum() / len(labels)


def similarity_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Logistic loss log(1 + exp(-y v)) of the two-branch variant's logits v [N, P] (eq. 2; y is 1 or -1).

    Equation 2 has the mean over all positions, but the section of SiamFC that it is from (2.2) weighs positives and
    negatives alike, and so does this: half of each kind's mean.
    """
    elements = F.softplus(torch.where(labels == POSITIVE, -logits.float(), logits.float()))
    return (_mean(elements, labels == POSITIVE) + _mean(elements, labels == NEGATIVE)) / 2


def mask_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean binary logistic loss of mask logits [M, h, w] against bool targets [M, h, w]; 0 where M is 0 (eq. 10).

    Only positive positions have a mask to learn (section 4.3).
    """
    if not len(logits):
        return logits.float().sum()
    return F.softplus(logits.float() * (1 - 2 * targets.float())).mean()


def _mean(elements: Tensor, chosen: Tensor) -> Tensor:
    return (elements * chosen).sum() / chosen.sum().clamp(min=1)
