"""Greedy matching of predictions to ground truth, as COCO and YouTube-VIS do it."""

import numpy as np
from numpy.typing import NDArray

UNMATCHED = -1
NEARLY_ONE = 1 - 1e-10


def match(
    iou: NDArray[np.float64],
    ignored: NDArray[np.bool_],
    crowd: NDArray[np.bool_],
    thresholds: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Match D predictions, best score first, to G ground truths under A sets of ignore flags and T thresholds.

    `iou` is [D, G], `ignored` [A, G] (a match to such a ground truth counts neither for nor against a prediction),
    `crowd` [G] (may be matched any number of times), `thresholds` [T]. Each prediction takes, among the ground truths
    that are free and reach the threshold, a regular one before an ignored one, then that of the highest IoU, then the
    later one.

    Returns the index of each prediction's ground truth or `UNMATCHED`, int64 [A, T, D].
    """
    least = np.minimum(thresholds, NEARLY_ONE)[:, None]
    regular = ~ignored[:, None, :]
    free = np.ones((ignored.shape[0], len(thresholds), len(crowd)), dtype=np.bool_)
    matched = np.full((*free.shape[:2], len(iou)), UNMATCHED, dtype=np.int64)
    for prediction in np.flatnonzero((iou >= least.min()).any(axis=1)):
        overlap = iou[prediction]
        candidates = free & (overlap >= least)
        preferred = candidates & regular
        candidates = np.where(preferred.any(axis=2, keepdims=True), preferred, candidates)
        reversed_overlap = np.where(candidates, overlap, -1.0)[..., ::-1]
        chosen = len(crowd) - 1 - np.argmax(reversed_overlap, axis=2)
        found = candidates.any(axis=2)
        matched[found, prediction] = chosen[found]
        ranges, levels = np.nonzero(found)
        free[ranges, levels, chosen[found]] = crowd[chosen[found]]
    return matched
