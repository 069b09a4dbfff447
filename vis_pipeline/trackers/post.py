"""What a finished track is worth: its class, its score, and whether another track already says the same."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.masks import Rle
from vis_pipeline.masks.affinity import share_inside
from vis_pipeline.masks.track_iou import parse_tracks, track_iou
from vis_pipeline.trackers.lifecycle.settings import MissingScore, TrackingSettings


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


def without_duplicates(
    segmentations: Sequence[Sequence[Rle | None]],
    labels: Sequence[int],
    scores: Sequence[float],
    settings: TrackingSettings,
) -> list[int]:
    """Indices of at most `max_tracks` tracks of one video, best first, without those that say what a better one says.

    Such a track is of the better one's class and overlaps it by `merge_iou` over the whole video, or lies inside it by
    `merge_share` of its pixels.
    """
    if not segmentations:
        return []
    runs = parse_tracks(segmentations, len(segmentations[0]))
    volumes = runs.areas.sum(axis=1)
    overlaps = track_iou(runs, runs)
    same = overlaps >= settings.merge_iou
    same |= share_inside(overlaps, volumes, volumes) >= settings.merge_share
    kept: list[int] = []
    for index in np.argsort(-np.asarray(scores), kind="stable").tolist():
        if len(kept) == settings.max_tracks:
            break
        if not any(labels[other] == labels[index] and same[index, other] for other in kept):
            kept.append(index)
    return kept
