"""What a frame makes of a video's targets: which are shown, what was detected of them, which begin and which end.

Pure functions over arrays; boxes are x1, y1, x2, y2 in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vis_pipeline.masks.affinity import box_intersections, box_iou, with_sides
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.siam_rcnn.settings import TargetSettings

NONE = -1
"""In place of a detection: there is none."""


class Absence(IntEnum):
    """Why a target is not shown; the first reason in this order counts."""

    NONE = 0
    NOT_PRESENT = 1
    SCORE = 2
    ON_ANOTHER_TARGET = 3
    COVERED = 4
    NO_MASK = 5


class Refusal(IntEnum):
    """Why a detection that is of no target starts none; the first reason in this order counts."""

    NONE = 0
    WEAK = 1
    EMPTY = 2
    ON_TARGET = 3
    ON_BIRTH = 4
    KNOWN = 5
    FULL = 6


@dataclass(frozen=True)
class Choices:
    """What N targets chose in a frame.

    Attributes:
        boxes: float64 [N, 4]; where one is not present, where it was last.
        scores: float64 [N], of their way to choose.
        here: float64 [N], of what they chose, in this frame alone; 0 where one is not present.
        present: bool [N].
        detections: int64 [N], detections of each so far.
        undetected: int64 [N], frames in a row without one.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    here: NDArray[np.float64]
    present: NDArray[np.bool_]
    detections: NDArray[np.int64]
    undetected: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True)
class Decision:
    """About N targets and M detections.

    Attributes:
        absences: int64 [N], of :class:`Absence`.
        found: int64 [N], the detection of each target that is shown, or `NONE`.
        overlaps: float64 [N], box IoU with that; 0 without.
        born: int64 [B], detections that start a target, the strongest first.
        refused: int64 [M], of :class:`Refusal`; `NONE` for those that are of a target or start one.
        ended: bool [N], targets that go undetected for too long.
        crowded_out: bool [N], targets that make room.
    """

    absences: NDArray[np.int64]
    found: NDArray[np.int64]
    overlaps: NDArray[np.float64]
    born: NDArray[np.int64]
    refused: NDArray[np.int64]
    ended: NDArray[np.bool_]
    crowded_out: NDArray[np.bool_]

    @property
    def shown(self) -> NDArray[np.int64]:
        """The targets that are shown, int64 [S]."""
        return np.flatnonzero(self.absences == Absence.NONE)

    @property
    def confirmed(self) -> NDArray[np.bool_]:
        """Which of the targets that are shown, and then of the births, have a detection, bool [S + B]."""
        return np.concatenate([self.found[self.shown] != NONE, np.ones(len(self.born), dtype=np.bool_)])

    def without(self, masks: NDArray[np.bool_], reason: Absence) -> "Decision":
        """The same, but that nothing is shown, and nothing begins, by some of the masks.

        `masks`, bool [S + B], says by which: those of the targets that are shown, and then those of the births.
        """
        gone, unborn = self.shown[masks[: len(self.shown)]], masks[len(self.shown) :]
        absences, found, overlaps, refused = (
            values.copy() for values in (self.absences, self.found, self.overlaps, self.refused)
        )
        absences[gone], found[gone], overlaps[gone] = reason, NONE, 0.0
        refused[self.born[unborn]] = Refusal.EMPTY
        return replace(
            self, absences=absences, found=found, overlaps=overlaps, refused=refused, born=self.born[~unborn]
        )


def decide(
    choices: Choices,
    boxes: NDArray[np.float64],
    scores: NDArray[np.float64],
    seen_again: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    settings: TargetSettings,
    tracking: TrackingSettings,
) -> Decision:
    """Decide about a frame.

    Args:
        choices: of the N targets.
        boxes: float64 [M, 4], of the detections.
        scores: float64 [M].
        seen_again: of each target the boxes [D, 4] and the scores [D] of its re-detections.
        settings: which targets there are.
        tracking: `birth_score`, `duplicate_iou`, `duplicate_share`, `min_detections`.
    """
    absences = why_absent(choices, settings)
    shown = np.flatnonzero(absences == Absence.NONE)
    found, overlaps = detected(choices.boxes, boxes, shown, settings.on_iou)
    undetected = np.where(found == NONE, choices.undetected + 1, 0)
    confirmed = choices.detections + (found != NONE) >= tracking.min_detections
    ended = undetected > np.where(confirmed, settings.max_undetected, settings.max_unconfirmed)
    known = recognised(boxes, [seen_again[target] for target in np.flatnonzero(absences != Absence.NONE)], settings)
    may_leave = ~ended & (absences != Absence.NONE)
    room = settings.max_targets - len(choices) + int(ended.sum()) + int(may_leave.sum())
    born, refused = births(boxes, scores, choices.boxes[shown], np.setdiff1d(found, NONE), known, room, tracking)
    alive = len(choices) - int(ended.sum()) + len(born)
    leaving = np.flatnonzero(may_leave)
    leaving = leaving[np.argsort(-undetected[leaving], kind="stable")[: max(0, alive - settings.max_targets)]]
    crowded_out = np.zeros(len(choices), dtype=np.bool_)
    crowded_out[leaving] = True
    return Decision(absences, found, overlaps, born, refused, ended, crowded_out)


def why_absent(choices: Choices, settings: TargetSettings) -> NDArray[np.int64]:
    """The :class:`Absence` of each target, int64 [N]; of targets on one object the earlier of equals is shown."""
    reasons = np.select(
        [~choices.present, choices.scores < settings.shown_score],
        [int(Absence.NOT_PRESENT), int(Absence.SCORE)],
        int(Absence.NONE),
    ).astype(np.int64)
    common = box_iou(with_sides(choices.boxes), with_sides(choices.boxes)) > settings.shared_iou
    claims = choices.here + settings.staying * (choices.undetected == 0)
    kept: list[int] = []
    for target in np.argsort(-claims, kind="stable").tolist():
        if reasons[target] != Absence.NONE:
            continue
        if common[target, kept].any():
            reasons[target] = Absence.ON_ANOTHER_TARGET
        else:
            kept.append(target)
    return reasons


def detected(
    chosen: NDArray[np.float64], boxes: NDArray[np.float64], shown: NDArray[np.int64], least: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The detection of each target, int64 [N] or `NONE`, and its box IoU, by the matching with the largest sum.

    Args:
        chosen: [N, 4], the targets' boxes.
        boxes: [M, 4], of the detections.
        shown: int64 [S], the targets that may have one.
        least: IoU that a pair needs.
    """
    found = np.full(len(chosen), NONE, dtype=np.int64)
    overlaps = np.zeros(len(chosen))
    affinity = box_iou(with_sides(chosen[shown]), with_sides(boxes))
    affinity = np.where(affinity >= least, affinity, 0.0)
    rows, columns = linear_sum_assignment(affinity, maximize=True)
    joined = affinity[rows, columns] > 0
    found[shown[rows[joined]]] = columns[joined]
    overlaps[shown[rows[joined]]] = affinity[rows[joined], columns[joined]]
    return found, overlaps


def recognised(
    boxes: NDArray[np.float64],
    seen_again: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    settings: TargetSettings,
) -> NDArray[np.bool_]:
    """Which of M detections may be of an absent target, bool [M]; `seen_again` are the re-detections of those."""
    known = np.zeros(len(boxes), dtype=np.bool_)
    for places, scores in seen_again:
        likely = places[scores >= settings.known_score]
        known |= box_iou(with_sides(boxes), with_sides(likely)).max(axis=1, initial=0.0) >= settings.on_iou
    return known


def births(
    boxes: NDArray[np.float64],
    scores: NDArray[np.float64],
    shown: NDArray[np.float64],
    taken: NDArray[np.int64],
    known: NDArray[np.bool_],
    room: int,
    tracking: TrackingSettings,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The detections that start a target, strongest first (of equals the earlier one), and why others do not.

    Args:
        boxes: [M, 4], of the detections.
        scores: [M].
        shown: [S, 4], the boxes of the targets that the frame shows.
        taken: int64, detections that are of one of them.
        known: bool [M], detections that may be of an absent target.
        room: how many may start.
        tracking: see :func:`decide`.

    Returns:
        int64 [B], and of each detection the :class:`Refusal`, int64 [M].
    """
    places = with_sides(boxes)
    on_target = np.asarray(_duplicates(places, with_sides(shown), tracking).any(axis=1))
    on_detections = _duplicates(places, places, tracking)
    empty = np.asarray((places[:, 2:] <= 0).any(axis=1))
    born: list[int] = []
    refused = np.zeros(len(boxes), dtype=np.int64)
    for detection in np.argsort(-scores, kind="stable").tolist():
        if detection in taken:
            continue
        reasons = {
            Refusal.WEAK: scores[detection] < tracking.birth_score,
            Refusal.EMPTY: empty[detection],
            Refusal.ON_TARGET: on_target[detection],
            Refusal.ON_BIRTH: on_detections[detection, born].any(),
            Refusal.KNOWN: known[detection],
            Refusal.FULL: len(born) >= room,
        }
        refused[detection] = next((reason for reason, holds in reasons.items() if holds), Refusal.NONE)
        if not refused[detection]:
            born.append(detection)
    return np.array(born, dtype=np.int64), refused


def _duplicates(
    boxes: NDArray[np.float64], others: NDArray[np.float64], tracking: TrackingSettings
) -> NDArray[np.bool_]:
    """Which boxes [M, 4] (x, y, w, h) show what other ones [K, 4] do, bool [M, K]."""
    inside = box_intersections(boxes, others) / np.maximum(boxes[:, 2:].prod(axis=1), 1e-9)[:, None]
    return np.asarray((box_iou(boxes, others) >= tracking.duplicate_iou) | (inside >= tracking.duplicate_share))
