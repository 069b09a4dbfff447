"""Which ground truth a prediction lies on in each frame, and how tracks that mix or split identities are put right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.explain.scored_video import ScoredVideo

LIES_ON_IOU = 0.5
JOINED_IOU = 0.5
NEW_FRAMES = 0.5
NOTHING = -1


@dataclass(frozen=True)
class Repair:
    """A right track that a fix puts in place of wrong ones.

    Attributes:
        truth: index of its ground truth, whose class it gets.
        pieces: indices of the predictions that it is made of, best score first; it has the score of the first.
        sources: int64 [F], the prediction that gives each frame's mask, or `NOTHING`; None for the truth's own masks.
    """

    truth: int
    pieces: tuple[int, ...]
    sources: NDArray[np.int64] | None


def lies_on(scored: ScoredVideo, same_class: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The ground truth that each prediction lies on in each frame, or `NOTHING`, int64 [D, F].

    It is that of the highest frame IoU of at least 0.5, those of the prediction's own class (`same_class`, bool [D, G])
    first; a crowd never is.
    """
    good = (scored.frame_iou >= LIES_ON_IOU) & ~scored.crowd[None, :, None]
    rank = np.where(good, scored.frame_iou + same_class[:, :, None], 0.0)
    return best_along(rank, axis=1)


def best_along(values: NDArray[np.float64], axis: int) -> NDArray[np.int64]:
    """Index of the highest value along an axis, which may be empty; `NOTHING` where no value is above 0."""
    padded = np.pad(values, [(0, int(dimension == axis)) for dimension in range(values.ndim)])
    return np.where(padded.max(axis=axis) > 0, padded.argmax(axis=axis), NOTHING)


def frames_on(scored: ScoredVideo, on: NDArray[np.int64]) -> NDArray[np.int64]:
    """In how many frames each prediction lies on each ground truth, int64 [D, G]."""
    lying = on[:, None] == np.arange(len(scored.crowd))[:, None]
    return np.asarray(np.count_nonzero(lying, axis=2), dtype=np.int64)


def cut_at_switches(scored: ScoredVideo, on: NDArray[np.int64]) -> NDArray[np.int64]:
    """The ground truth that each frame of a track goes to, int64 [D, F]: from where it lies on one until the next.

    What comes before the first goes to the first. `NOTHING` where a track shows nothing, or never lies on anything.
    """
    frames = np.arange(on.shape[1])
    last = np.maximum.accumulate(np.where(on != NOTHING, frames, NOTHING), axis=1)
    first = np.argmax(on != NOTHING, axis=1)
    owner = np.take_along_axis(on, np.where(last == NOTHING, first[:, None], last), axis=1)
    return np.where(scored.areas > 0, owner, NOTHING)


def join_switched(
    scored: ScoredVideo, owner: NDArray[np.int64], switched: NDArray[np.bool_], taken: NDArray[np.bool_]
) -> tuple[Repair, ...]:
    """One track for each ground truth that switched tracks (bool [D]) have pieces on and that is not `taken`, bool [G].

    `owner` [D, F] is that of :func:`cut_at_switches`.
    """
    repairs = []
    for truth in np.flatnonzero(~taken & ~scored.crowd):
        pieces = np.flatnonzero(switched & (owner == truth).any(axis=1))
        repair = _joined(scored, int(truth), pieces, owner[pieces] == truth)
        if repair is not None:
            repairs.append(repair)
    return tuple(repairs)


def join_broken(
    scored: ScoredVideo, on: NDArray[np.int64], home: NDArray[np.bool_], holder: NDArray[np.int64]
) -> tuple[Repair, ...]:
    """One track for each ground truth that two or more predictions share out between them.

    `home` is bool [D, G], the prediction lies mostly on this truth and could be a piece of it; `holder` int64 [G], the
    prediction that has found the truth, or `NOTHING`.
    """
    repairs = []
    for truth in np.flatnonzero(home.sum(axis=0) >= 2):
        candidates = sorted(np.flatnonzero(home[:, truth]), key=lambda piece: (piece != holder[truth], piece))
        pieces = _side_by_side(on == truth, candidates)
        repair = _joined(scored, int(truth), pieces, scored.areas[pieces] > 0)
        if repair is not None and len(repair.pieces) >= 2 and holder[truth] in (NOTHING, *repair.pieces):
            repairs.append(repair)
    return tuple(repairs)


def _side_by_side(lying: NDArray[np.bool_], candidates: Sequence[np.int64]) -> NDArray[np.int64]:
    """Those that lie on the truth (`lying`, bool [D, F]) mostly in frames where none before them does, sorted."""
    covered = np.zeros(lying.shape[1], dtype=np.bool_)
    chosen = []
    for candidate in candidates:
        own = lying[candidate]
        if np.count_nonzero(own & ~covered) >= NEW_FRAMES * np.count_nonzero(own):
            chosen.append(candidate)
            covered |= own
    return np.sort(np.array(chosen, dtype=np.int64))


def _joined(scored: ScoredVideo, truth: int, pieces: NDArray[np.int64], usable: NDArray[np.bool_]) -> Repair | None:
    """In each frame the piece of the highest IoU with the truth among those `usable`, bool [N, F].

    None where the whole has IoU below 0.5 with it.
    """
    # A mask beside the truth is still the track's mask: 1 sets it apart from no mask at all.
    rank = np.where(usable, 1 + scored.frame_iou[pieces, truth], 0.0)
    best = best_along(rank, axis=0)
    sources = np.where(best == NOTHING, NOTHING, np.append(pieces, NOTHING)[best])
    frames = np.flatnonzero(sources != NOTHING)
    common = scored.common[sources[frames], truth, frames].sum()
    either = scored.areas[sources[frames], frames].sum() + scored.truth_areas[truth].sum() - common
    if common < JOINED_IOU * either or not common:
        return None
    return Repair(truth, tuple(int(piece) for piece in np.unique(sources[frames])), sources)
