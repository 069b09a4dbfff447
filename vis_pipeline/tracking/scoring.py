"""What a finished track is worth: its class, its score, and whether another track already says the same."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from vis_pipeline.masks import Rle, area
from vis_pipeline.tracking.settings import MissingScore


def vote_class(labels: NDArray[np.int64], scores: NDArray[np.floating]) -> int:
    """The label with the largest summed score over a track's detections; of equal sums the smallest label.

    Raises:
        ValueError: there is no detection.
    """
    if not len(labels):
        raise ValueError("a track without detections has no class")
    candidates, votes = np.unique(labels, return_inverse=True)
    return int(candidates[np.bincount(votes, weights=scores).argmax()])


def track_score(
    detection_scores: NDArray[np.floating], undetected_scores: NDArray[np.floating], missing: MissingScore
) -> float:
    """Mean score of a track over its frames.

    Args:
        detection_scores: scores of the detections it matched.
        undetected_scores: tracking scores of the frames in which it was visible but not detected.
        missing: what the latter count as.
    """
    if missing is MissingScore.IGNORED:
        counted = detection_scores
    elif missing is MissingScore.ZERO:
        counted = np.concatenate([detection_scores, np.zeros_like(undetected_scores)])
    else:
        counted = np.concatenate([detection_scores, undetected_scores])
    return float(counted.mean()) if len(counted) else 0.0


def video_iou(first: Sequence[Rle | None], second: Sequence[Rle | None]) -> float:
    """IoU of two mask sequences of one length over the whole video: summed intersections over summed unions."""
    intersection = union = 0.0
    for one, other in zip(first, second, strict=True):
        present = [rle for rle in (one, other) if rle is not None]
        if not present:
            continue
        joined = float(area([coco_mask.merge(present)])[0])
        union += joined
        intersection += float(area(present).sum()) - joined
    return intersection / union if union else 0.0


def without_duplicates(
    segmentations: Sequence[Sequence[Rle | None]],
    labels: Sequence[int],
    scores: Sequence[float],
    threshold: float,
    most: int,
) -> list[int]:
    """Indices of at most `most` tracks, best first: a track that overlaps a better one of its class is left out."""
    kept: list[int] = []
    for index in np.argsort(-np.asarray(scores), kind="stable").tolist():
        if len(kept) == most:
            break
        rivals = (other for other in kept if labels[other] == labels[index])
        if all(video_iou(segmentations[index], segmentations[other]) < threshold for other in rivals):
            kept.append(index)
    return kept
