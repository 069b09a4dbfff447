"""What a finished track is worth: its class and its score."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.trackers.lifecycle.settings import MissingScore


def vote_class(votes: Mapping[int, float]) -> int:
    """The label with the largest summed score over a track's detections; of equal sums the smallest label.

    Raises:
        ValueError: there is no detection.
    """
    if not votes:
        raise ValueError("a track without detections has no class")
    return min(votes, key=lambda label: (-votes[label], label))


def track_score(
    detection_scores: NDArray[np.floating],
    undetected_scores: NDArray[np.floating],
    missing: MissingScore,
    prior: float,
) -> float:
    """Mean score of a track over its frames and `prior` frames of score 0.

    Args:
        detection_scores: scores of the detections it matched, at least one.
        undetected_scores: tracking scores of the frames in which it was visible but not detected.
        missing: what the latter count as.
        prior: at least 0.
    """
    guessed = {
        MissingScore.IGNORED: undetected_scores[:0],
        MissingScore.ZERO: np.zeros_like(undetected_scores),
        MissingScore.TRACKER: undetected_scores,
    }[missing]
    return float((detection_scores.sum() + guessed.sum()) / (len(detection_scores) + len(guessed) + prior))
