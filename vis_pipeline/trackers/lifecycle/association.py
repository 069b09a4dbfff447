"""Who is who: the Hungarian algorithm on affinities (SiamMask multi-object, equation 13), rank by rank."""

from collections.abc import Sequence
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
        affinities: float64 [K], of each pair.
        sweeps: int64 [K], the sweep that joined each pair.
        free_detections: int64, indices of the unmatched detections, ascending.
        free_tracks: int64, indices of the unmatched tracks, ascending.
    """

    detections: NDArray[np.int64]
    tracks: NDArray[np.int64]
    affinities: NDArray[np.float64]
    sweeps: NDArray[np.int64]
    free_detections: NDArray[np.int64]
    free_tracks: NDArray[np.int64]


@dataclass(frozen=True)
class Sweep:
    """A round of matching by one kind of evidence: an affinity [M, N], and the least of it that joins a pair."""

    affinity: NDArray[np.floating]
    threshold: float


def associate(sweeps: Sequence[Sweep], ranks: NDArray[np.integer]) -> Assignment:
    """Match detections with N tracks in sweeps, and in each of them the tracks of the lowest rank [N] first.

    Every sweep and rank has what those before left over, and maximises the summed affinity; affinities below the
    threshold count as zero and never match.

    Raises:
        ValueError: an affinity is not a matrix of finite numbers.
    """
    pairs: list[tuple[int, int, float, int]] = []
    free = np.arange(sweeps[0].affinity.shape[0])
    waiting = np.arange(len(ranks))
    for number, sweep in enumerate(sweeps):
        _require_matrix(sweep.affinity)
        for rank in np.unique(ranks):
            members = waiting[ranks[waiting] == rank]
            rows, columns = _best(sweep.affinity[np.ix_(free, members)], sweep.threshold)
            detections, tracks = free[rows], members[columns]
            values = sweep.affinity[detections, tracks].tolist()
            pairs += zip(detections.tolist(), tracks.tolist(), values, [number] * len(values), strict=True)
            free, waiting = np.setdiff1d(free, detections), np.setdiff1d(waiting, tracks)
    pairs.sort()
    return Assignment(
        detections=np.array([pair[0] for pair in pairs], dtype=np.int64),
        tracks=np.array([pair[1] for pair in pairs], dtype=np.int64),
        affinities=np.array([pair[2] for pair in pairs], dtype=np.float64),
        sweeps=np.array([pair[3] for pair in pairs], dtype=np.int64),
        free_detections=free,
        free_tracks=waiting,
    )


def _best(affinity: NDArray[np.floating], threshold: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the matching with the largest sum, without pairs below the threshold."""
    eligible = np.where(affinity >= threshold, affinity, 0.0)
    rows, columns = linear_sum_assignment(eligible, maximize=True)
    joined = eligible[rows, columns] > 0
    return rows[joined], columns[joined]


def _require_matrix(affinity: NDArray[np.floating]) -> None:
    if affinity.ndim != 2 or not np.isfinite(affinity).all():
        raise ValueError(f"affinity must be a finite matrix, got shape {affinity.shape}")
