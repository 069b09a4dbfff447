"""Kinds of error in the tracks of one video, and what each kind's fix would make of them.

The idea is that of TIDE (Bolya et al., ECCV 2020, sections 2.2 and 2.3), carried from boxes to tracks; identity switch
and broken track are ours. Predictions are matched at IoU 0.5 by the protocol. *Found* is what has a ground truth that
is no crowd, or the ground truth that is had. Predictions matched to a crowd, and crowds, are no errors and play no
further part. In a frame, a prediction *lies on* the ground truth whose frame IoU with it is highest and at least 0.5,
those of its own class first. Every unmatched prediction is of the first kind in this list that fits it:

1. *Identity switch*: it lies on two or more truths, one at least of its class, on each in three frames or more and in a
   tenth or more of the frames that it shows in. Found predictions that do so are of this kind too.
2. *Duplicate*: IoU >= 0.5 with a truth of its class; the matching has given that one to a better-scored prediction.
3. *Wrong class*: IoU >= 0.5 with a truth of another class.
4. *Broken track*: it is one of two or more predictions of a truth's class that each lie on it in half or more of the
   frames that they show in, half or more of these frames being no earlier piece's (the one that has found the truth
   first, then by score), and that together have IoU >= 0.5 with it. The one that has found it is of this kind too.
5. *Poor mask*: IoU >= 0.1 with a truth of its class, or it lies on one in half or more of the frames that it shows in:
   the right object, in masks too poor or in too few (or too many) frames.
6. *False positive*: all the rest: background, and what has neither the right class nor good masks.

Two kinds are no unmatched predictions:

7. *Loose mask*: a found prediction, of none of the above kinds, whose IoU is below 0.95: right at 0.5, wrong at some of
   the stricter thresholds over which the headline AP averages.
8. *Missed*: a truth that is not found and that none of the fixes below would find.

The fix of a kind makes right tracks out of that kind's predictions as far as it can and drops the rest of them;
everything else stays as it is:

- *Identity switch*: the track is cut where it comes to lie on the next truth, and each piece gets its truth's class.
  Pieces of switched tracks on one truth become one track, in each frame the piece of the highest IoU. What then has IoU
  below 0.5 is dropped.
- *Duplicate*, *false positive*: dropped.
- *Wrong class*: the prediction gets the class of the truth that it has the highest IoU with.
- *Poor mask*, *loose mask*: it gets the masks of the truth that it has found, or has the highest IoU with in its class.
- *Broken track*: the pieces become one track, in each frame the piece of the highest IoU.
- *Missed*: the truth counts no longer (it becomes a crowd), for nobody knows what score its finder would have.

A truth is given to one track only: where a prediction of another kind, or a better-scored one of this kind, has it, the
fix drops the prediction. A joined track has the best score of its pieces.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.explain.repairs import (
    NOTHING,
    Repair,
    best_along,
    cut_at_switches,
    frames_on,
    join_broken,
    join_switched,
    lies_on,
)
from evaluation.explain.scored_video import ScoredVideo

FOUND_IOU = 0.5
POOR_IOU = 0.1
EXACT_IOU = 0.95
SWITCH_SHARE, SWITCH_FRAMES = 0.1, 3
HOME_SHARE = 0.5


class Kind(Enum):
    """What can be wrong with a prediction, or (`MISSED`) with a ground truth; in the order of reports."""

    MISSED = "missed"
    DUPLICATE = "duplicate"
    WRONG_CLASS = "wrong class"
    POOR_MASK = "poor mask"
    IDENTITY_SWITCH = "identity switch"
    BROKEN_TRACK = "broken track"
    FALSE_POSITIVE = "false positive"
    LOOSE_MASK = "loose mask"


@dataclass(frozen=True)
class VideoErrors:
    """The errors of a video with D predictions and G ground truths.

    Attributes:
        members: bool [D] for every kind but `MISSED`: the predictions of this kind, of which nobody has two.
        repairs: for every kind but `MISSED`, what its fix puts in place of its members.
        missed: bool [G].
    """

    members: Mapping[Kind, NDArray[np.bool_]]
    repairs: Mapping[Kind, tuple[Repair, ...]]
    missed: NDArray[np.bool_]

    def of(self, kind: Kind) -> NDArray[np.bool_]:
        """Which predictions, bool [D], or ground truths, bool [G], are of this kind."""
        return self.missed if kind is Kind.MISSED else self.members[kind]


def find_errors(scored: ScoredVideo) -> VideoErrors:
    """Name every error of a video, by the rules at the top of this module."""
    same_class = scored.categories[:, None] == scored.truth_categories[None, :]
    same = np.where(same_class & ~scored.crowd, scored.iou, 0.0)
    other = np.where(~same_class & ~scored.crowd, scored.iou, 0.0)
    true, false, found = scored.true[0], scored.false[0], scored.found[0]
    # The truth that a prediction has most to do with: the one it has found, or else that of the highest IoU.
    foremost = np.where(true, scored.matches[0], best_along(same, axis=1))

    on = lies_on(scored, same_class)
    frames = frames_on(scored, on)
    share = frames / np.maximum(np.count_nonzero(scored.areas, axis=1), 1)[:, None]
    often = (frames >= SWITCH_FRAMES) & (share >= SWITCH_SHARE)
    switched = (true | false) & (often.sum(axis=1) >= 2) & (often & same_class).any(axis=1)
    taken = _flags(len(found), scored.matches[0][true & ~switched])
    switch_repairs = join_switched(scored, cut_at_switches(scored, _only(on, often)), switched, taken)

    duplicate = false & ~switched & (same >= FOUND_IOU).any(axis=1)
    wrong_class = false & ~switched & ~duplicate & (other >= FOUND_IOU).any(axis=1)
    rest = false & ~switched & ~duplicate & ~wrong_class

    settled = same_class & ~scored.crowd & (share >= HOME_SHARE)
    own_only = ~true[:, None] | (np.arange(len(found)) == foremost[:, None])
    broken_repairs = join_broken(scored, on, settled & own_only & (rest | true & ~switched)[:, None], _holders(scored))
    broken = _flags(len(true), [piece for repair in broken_repairs for piece in repair.pieces])

    poor = rest & ~broken & ((same >= POOR_IOU).any(axis=1) | settled.any(axis=1))
    loose = true & ~switched & ~broken & (_picked(scored.iou, foremost[:, None])[:, 0] < EXACT_IOU)
    repairs = {
        Kind.DUPLICATE: (),
        Kind.WRONG_CLASS: tuple(
            Repair(truth, (index,), np.where(scored.areas[index] > 0, index, NOTHING))
            for truth, index in _first_takers(wrong_class, best_along(other, axis=1), found).items()
        ),
        Kind.POOR_MASK: tuple(
            Repair(truth, (index,), None) for truth, index in _first_takers(poor, foremost, found).items()
        ),
        Kind.IDENTITY_SWITCH: switch_repairs,
        Kind.BROKEN_TRACK: broken_repairs,
        Kind.FALSE_POSITIVE: (),
        Kind.LOOSE_MASK: tuple(Repair(int(foremost[index]), (int(index),), None) for index in np.flatnonzero(loose)),
    }
    mended = _flags(len(found), [repair.truth for kind in repairs.values() for repair in kind])
    return VideoErrors(
        members={
            Kind.DUPLICATE: duplicate,
            Kind.WRONG_CLASS: wrong_class,
            Kind.POOR_MASK: poor,
            Kind.IDENTITY_SWITCH: switched,
            Kind.BROKEN_TRACK: broken,
            Kind.FALSE_POSITIVE: rest & ~broken & ~poor,
            Kind.LOOSE_MASK: loose,
        },
        repairs=repairs,
        missed=~scored.crowd & ~found & ~mended,
    )


def _flags(size: int, indices: Iterable[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
    flags = np.zeros(size, dtype=np.bool_)
    flags[list(indices)] = True
    return flags


def _picked(values: NDArray[Any], columns: NDArray[np.int64]) -> NDArray[Any]:
    """The values [D, G] at columns [D, F] of their own row; 0 where the column is `NOTHING`."""
    return np.asarray(np.pad(values, ((0, 0), (0, 1)))[np.arange(len(columns))[:, None], columns])


def _only(on: NDArray[np.int64], allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(_picked(allowed, on), on, NOTHING)


def _holders(scored: ScoredVideo) -> NDArray[np.int64]:
    """The prediction that has found each ground truth, int64 [G], or `NOTHING`."""
    holders = np.full(len(scored.crowd), NOTHING, dtype=np.int64)
    predictions = np.flatnonzero(scored.true[0])
    holders[scored.matches[0][predictions]] = predictions
    return holders


def _first_takers(chosen: NDArray[np.bool_], wanted: NDArray[np.int64], found: NDArray[np.bool_]) -> dict[int, int]:
    """For each ground truth that is not found and that chosen predictions want, the best-scored of these."""
    takers: dict[int, int] = {}
    for index in np.flatnonzero(chosen & (wanted != NOTHING)):
        if not found[wanted[index]]:
            takers.setdefault(int(wanted[index]), int(index))
    return takers
