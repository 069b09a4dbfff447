"""What the comparison of template and region begins with: the directions in feature space that tell objects apart.

Linear discriminant analysis (Fisher) over the stored boxes, with each object as a class: directions in which one object
looks the same everywhere and different objects do not.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_SHRINKAGE = 0.01
"""Share of the mean variance that is added to each direction's, so that none is without any."""

_LEAST_RATIO = 1.05
"""Variance between objects to that within, below which a direction counts no less: it may be of use in its place."""

_SCALE = 0.5


def discriminant_directions(points: NDArray[np.float64], objects: NDArray[np.int64]) -> Tensor:
    """Rows to multiply features by: float32 [C, C], the most telling first.

    Along each row an object varies as much as along any other, times how far the variance between objects is no chance.

    Args:
        points: float64 [R, C], the mean features of R boxes.
        objects: int64 [R], whose they are; two objects at least, and one that is seen twice.
    """
    _, members = np.unique(objects, return_inverse=True)
    counts = np.bincount(members)
    means = np.zeros((len(counts), points.shape[1]))
    np.add.at(means, members, points)
    means /= counts[:, None]
    apart = points - means[members]
    within = apart.T @ apart / len(points)
    within += _SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    whitening = np.linalg.cholesky(np.linalg.inv(within))
    ratios, turn = np.linalg.eigh(np.cov((means @ whitening).T))
    reliable = np.sqrt(1 - 1 / np.maximum(ratios[::-1], _LEAST_RATIO))
    directions = _SCALE * reliable[:, None] * (whitening @ turn[:, ::-1]).T
    return torch.from_numpy(directions.astype(np.float32))
