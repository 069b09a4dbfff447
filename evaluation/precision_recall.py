"""Precision at fixed recalls, and the recall that is reached, from the matches of one category over all videos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNDEFINED = -1.0


@dataclass(frozen=True)
class VideoOutcome:
    """What became of one video's predictions of one category, best score first.

    A counts the area ranges, T the IoU thresholds, D the predictions.

    Attributes:
        scores: float64 [D], descending.
        matched: bool [A, T, D], the prediction has a ground truth.
        ignored: bool [A, T, D], the prediction counts neither as true nor as false.
        positives: int64 [A], ground truths to be found.
    """

    scores: NDArray[np.float64]
    matched: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    positives: NDArray[np.int64]


@dataclass(frozen=True)
class Curves:
    """Precision and recall after each of N predictions, best score first.

    Attributes:
        precision: float64 [A, T, N].
        recall: float64 [A, T, N].
        positives: int64 [A], ground truths to be found.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    positives: NDArray[np.int64]


def merged_curves(videos: Sequence[VideoOutcome], limit: int) -> Curves:
    """Merge the predictions of all videos (at least one) by score, at most `limit` of each.

    Of equal scores those of the earlier video come first.
    """
    scores = np.concatenate([video.scores[:limit] for video in videos])
    order = np.argsort(-scores, kind="stable")
    matched = np.concatenate([video.matched[..., :limit] for video in videos], axis=2)[..., order]
    counted = ~np.concatenate([video.ignored[..., :limit] for video in videos], axis=2)[..., order]
    positives = np.sum([video.positives for video in videos], axis=0)
    true = np.cumsum(matched & counted, axis=2, dtype=np.float64)
    false = np.cumsum(~matched & counted, axis=2, dtype=np.float64)
    return Curves(
        precision=true / (false + true + np.spacing(1)),
        recall=true / np.maximum(positives, 1)[:, None, None],
        positives=positives,
    )


def final_recall(curves: Curves) -> NDArray[np.float64]:
    """Recall after the last prediction, float64 [A, T]; 0 without predictions, -1 without ground truth."""
    count = curves.recall.shape[2]
    final = curves.recall[..., -1] if count else np.zeros(curves.recall.shape[:2])
    return np.where(curves.positives[:, None] > 0, final, UNDEFINED)


def precision_at(curves: Curves, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The best precision at each recall in `points` [R] or beyond it, float64 [A, T, R].

    0 where the recall is not reached, -1 without ground truth.
    """
    best = np.maximum.accumulate(curves.precision[..., ::-1], axis=2)[..., ::-1]
    best = np.concatenate([best, np.zeros((*best.shape[:2], 1))], axis=2)
    reached = np.empty((*best.shape[:2], len(points)), dtype=np.int64)
    for curve in np.ndindex(best.shape[:2]):
        reached[curve] = np.searchsorted(curves.recall[curve], points, side="left")
    interpolated = np.take_along_axis(best, reached, axis=2)
    return np.where(curves.positives[:, None, None] > 0, interpolated, UNDEFINED)
