"""Who is who: the Hungarian algorithm on affinities (SiamMask multi-object, equation 13)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True)
class Assignment:
    """The one-to-one matching of M detections and N tracks.

    Attributes:
        detections: int64 [K], indices of the matched detections, ascending.
        tracks: int64 [K], the track of each.
        free_detections: int64, indices of the unmatched detections, ascending.
        free_tracks: int64, indices of the unmatched tracks, ascending.
    """

    detections: NDArray[np.int64]
    tracks: NDArray[np.int64]
    free_detections: NDArray[np.int64]
    free_tracks: NDArray[np.int64]


def associate(affinity: NDArray[np.floating], threshold: float) -> Assignment:
    """Maximise the summed affinity [M, N]; affinities below `threshold` count as zero and never match.

    Raises:
        ValueError: the affinity is not a matrix of finite numbers.
    """
    if affinity.ndim != 2 or not np.isfinite(affinity).all():
        raise ValueError(f"affinity must be a finite matrix, got shape {affinity.shape}")
    eligible = np.where(affinity >= threshold, affinity, 0.0)
    detections, tracks = linear_sum_assignment(eligible, maximize=True)
    joined = eligible[detections, tracks] > 0
    detections, tracks = detections[joined].astype(np.int64), tracks[joined].astype(np.int64)
    return Assignment(
        detections=detections,
        tracks=tracks,
        free_detections=np.setdiff1d(np.arange(affinity.shape[0]), detections),
        free_tracks=np.setdiff1d(np.arange(affinity.shape[1]), tracks),
    )
