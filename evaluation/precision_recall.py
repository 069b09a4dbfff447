"""Precision and recall of one category over all videos, from the verdict on each of its predictions.

A counts the area ranges, T the IoU thresholds, N the predictions, best score first. A prediction is `true` or `false`,
both bool [A, T, N], or neither where it is ignored; `positives`, int64 [A], counts the ground truths to be found.
"""

import numpy as np
from numpy.typing import NDArray

UNDEFINED = -1.0


def final_recall(true: NDArray[np.bool_], positives: NDArray[np.int64]) -> NDArray[np.float64]:
    """Recall with all predictions taken, float64 [A, T]; 0 without predictions, -1 without ground truth."""
    recall = np.count_nonzero(true, axis=2) / np.maximum(positives, 1)[:, None]
    return np.where(positives[:, None] > 0, recall, UNDEFINED)


def precision_at(
    points: NDArray[np.float64], true: NDArray[np.bool_], false: NDArray[np.bool_], positives: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The best precision at each recall in `points` [R] or beyond it, float64 [A, T, R].

    0 where the recall is not reached, -1 without ground truth.
    """
    found = np.cumsum(true, axis=2, dtype=np.float64)
    precision = found / (found + np.cumsum(false, axis=2) + np.spacing(1))
    recall = found / np.maximum(positives, 1)[:, None, None]
    best = np.maximum.accumulate(precision[..., ::-1], axis=2)[..., ::-1]
    best = np.concatenate([best, np.zeros((*best.shape[:2], 1))], axis=2)
    reached = np.empty((*best.shape[:2], len(points)), dtype=np.int64)
    for curve in np.ndindex(best.shape[:2]):
        reached[curve] = np.searchsorted(recall[curve], points, side="left")
    interpolated = np.take_along_axis(best, reached, axis=2)
    return np.where(positives[:, None, None] > 0, interpolated, UNDEFINED)
