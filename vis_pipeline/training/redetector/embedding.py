"""The space in which look-alikes are neighbours: a small network on RoI features, batch-hard triplet loss.

The loss is that of Hermans et al., "In defense of the triplet loss for person re-identification"; classes are told
apart first, then instances (Siam R-CNN, section 3.2).
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from vis_pipeline.structures.regions import REGION_SIZE

_GROUPS = 8


class Embedding(nn.Module):
    """RoI features float32 [K, C, 7, 7] to points of the unit sphere, float32 [K, E]."""

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.convolution = nn.Conv2d(channels, channels, 3)
        self.group_norm = nn.GroupNorm(_GROUPS if channels % _GROUPS == 0 else 1, channels)
        self.projection = nn.Linear(channels * (REGION_SIZE - 2) ** 2, embedding)

    def forward(self, features: Tensor) -> Tensor:
        """Embed."""
        hidden = F.relu(self.group_norm(self.convolution(self.norm(features))))
        return F.normalize(self.projection(hidden.flatten(1)), dim=1)


def batch_hard_loss(points: Tensor, groups: Tensor, margin: float) -> Tensor:
    """Mean over N points of max(0, margin + distance to the farthest of its group - distance to the nearest other).

    Args:
        points: float32 [N, E].
        groups: int64 [N]; a point alone in its group is its own farthest one; there are at least two groups.
        margin: in Euclidean distance.
    """
    # The square root has no gradient at 0, where a point meets itself.
    distances = (points[:, None] - points[None]).square().sum(dim=2).clamp(min=1e-12).sqrt()
    same = groups[:, None] == groups[None]
    farthest = distances.masked_fill(~same, -torch.inf).amax(dim=1)
    nearest = distances.masked_fill(same, torch.inf).amin(dim=1)
    return F.relu(margin + farthest - nearest).mean()


def draw_groups(
    members: Sequence[NDArray[np.int64]], groups: int, count: int, rng: Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A batch: `groups` of the groups, or all, and `count` members of each, again where it has fewer.

    Args:
        members: rows of each group; none is empty.
        groups: how many groups.
        count: how many members of each.
        rng: draws.

    Returns:
        Rows int64 [G * count] and the group of each.
    """
    chosen = rng.permutation(len(members))[:groups]
    rows = [rng.choice(members[group], count, replace=len(members[group]) < count) for group in chosen]
    return np.concatenate(rows), np.repeat(chosen, count)
