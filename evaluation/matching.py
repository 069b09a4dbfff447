"""Greedy matching of predictions to ground truth, as COCO and YouTube-VIS do it."""

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.masks.compiled import compiled

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
    matched = np.full((len(ignored), len(thresholds), len(iou)), UNMATCHED, dtype=np.int64)
    least = np.minimum(thresholds, NEARLY_ONE)
    candidates = np.flatnonzero((iou >= least.min()).any(axis=1))
    _match(iou, candidates, ignored, crowd, least, matched)
    return matched


@compiled
def _match(
    iou: NDArray[np.float64],
    candidates: NDArray[np.int64],
    ignored: NDArray[np.bool_],
    crowd: NDArray[np.bool_],
    least: NDArray[np.float64],
    matched: NDArray[np.int64],
) -> None:
    for area in range(len(ignored)):
        for level in range(len(least)):
            free = np.ones(len(crowd), dtype=np.bool_)
            for prediction in candidates:
                best = _best(iou[prediction], free, ignored[area], False, least[level])
                if best == UNMATCHED:
                    best = _best(iou[prediction], free, ignored[area], True, least[level])
                if best != UNMATCHED:
                    matched[area, level, prediction] = best
                    free[best] = crowd[best]


@compiled
def _best(
    iou: NDArray[np.float64], free: NDArray[np.bool_], ignored: NDArray[np.bool_], among: bool, least: float
) -> int:
    """The last of the free ground truths, ignored or not, that has the highest IoU and reaches `least`."""
    best = UNMATCHED
    for truth in range(len(iou)):
        if free[truth] and ignored[truth] == among and iou[truth] >= least:
            best, least = truth, iou[truth]
    return best
