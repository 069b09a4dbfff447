"""Which targets turn out to be one object, and which detections go on with a target in place of beginning one.

A video's targets begin with detections, not with a box that somebody drew: one whose first view was a poor one is not
re-detected well, and its object is born again beside it. Such a pair then chooses the same boxes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.masks.affinity import box_intersections, box_iou, with_sides
from vis_pipeline.trackers.siam_rcnn.decision import NONE, Absence, Decision
from vis_pipeline.trackers.siam_rcnn.living import Company, Living, Sight
from vis_pipeline.trackers.siam_rcnn.looks import Appearance, likeness
from vis_pipeline.trackers.siam_rcnn.settings import TargetSettings


@dataclass(frozen=True)
class Join:
    """A target goes on as another one, or as what a detection begins.

    Attributes:
        target: the row of the one that goes.
        row: that of the one that goes on, among N targets and then B births.
        score: how sure that is, in 0..1.
    """

    target: int
    row: int
    score: float


def holders(boxes: NDArray[np.float64], absences: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each target that lies on another one, the row of that, int64 [N]; `NONE` for the others.

    Args:
        boxes: [N, 4], x1, y1, x2, y2, that the targets chose.
        absences: int64 [N], of :class:`~vis_pipeline.trackers.siam_rcnn.decision.Absence`.
    """
    shown = np.flatnonzero(absences == Absence.NONE)
    found = np.full(len(boxes), NONE, dtype=np.int64)
    on_others = np.flatnonzero(absences == Absence.ON_ANOTHER_TARGET)
    if len(on_others):
        found[on_others] = shown[box_iou(with_sides(boxes[on_others]), with_sides(boxes[shown])).argmax(axis=1)]
    return found


def companies(
    living: Sequence[Living], found: NDArray[np.int64], on: NDArray[np.int64], scores: NDArray[np.float64], least: float
) -> list[Company]:
    """How N targets stand to each other after a frame.

    Args:
        living: before it.
        found: int64 [N], their detections, or `NONE`.
        on: int64 [N], see :func:`holders`.
        scores: float64 [N], of what each chose, in this frame alone.
        least: score from which on one that lies on another is like it.
    """
    numbers = [one.number for one in living]
    detected = {one.number for one, detection in zip(living, found, strict=True) if detection != NONE}
    after = []
    for one, holder, score in zip(living, on.tolist(), scores.tolist(), strict=True):
        known = one.company
        beside = detected - {one.number} if one.number in detected else set()
        apart = tuple(sorted((beside | set(known.apart)) & set(numbers)))
        if holder == NONE or score < least:
            after.append(Company(NONE, 0, apart))
        else:
            again = known.frames if known.on == numbers[holder] else 0
            after.append(Company(numbers[holder], again + 1, apart))
    return after


def same_objects(
    living: Sequence[Living],
    companies: Sequence[Company],
    on: NDArray[np.int64],
    scores: NDArray[np.float64],
    decision: Decision,
    frames: int,
) -> list[Join]:
    """The targets that have lain on one and the same other one for so many frames, and were never seen beside it.

    A target takes up one other in a frame; the rest wait for the next.
    """
    going = decision.ended | decision.crowded_out
    joins: dict[int, Join] = {}
    for target, (company, holder) in enumerate(zip(companies, on.tolist(), strict=True)):
        if holder in joins or going[target] or company.frames < frames:
            continue
        if company.on in company.apart or living[target].number in companies[holder].apart:
            continue
        joins[holder] = Join(target, holder, float(scores[target]))
    return list(joins.values())


def continued(
    living: Sequence[Living],
    taken: Sequence[Join],
    decision: Decision,
    boxes: NDArray[np.float64],
    templates: Sequence[Appearance],
    settings: TargetSettings,
) -> list[Join]:
    """The births that are the next sight of a target which is not shown, in their order.

    They are where it was detected last, at most `again_frames` ago: the common share of the smaller of the two boxes,
    times the likeness of their looks, is at least `again`.

    Args:
        living: the N targets before the frame.
        taken: those that go on as another one.
        decision: about the frame.
        boxes: float64 [B, 4], x1, y1, x2, y2, of the births.
        templates: what they show.
        settings: see above.
    """
    gone = decision.ended | decision.crowded_out
    gone[[join.target for join in taken]] = True
    free = [
        row
        for row, one in enumerate(living)
        if not gone[row] and decision.absences[row] != Absence.NONE and one.undetected < settings.again_frames
    ]
    joins = []
    for place, template in enumerate(templates):
        if not free:
            break
        last = np.stack([living[row].sight.box for row in free])
        shares = shares_of_the_smaller(boxes[place], last)
        alike = [float(likeness(template.looks[None], living[row].sight.looks[None])) for row in free]
        scores = shares * np.array(alike)
        best = int(scores.argmax())
        if scores[best] >= settings.again:
            joins.append(Join(free.pop(best), len(living) + place, float(scores[best])))
    return joins


def shares_of_the_smaller(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of the smaller one a box [4] and others [N, 4] (x1, y1, x2, y2) have in common, float64 [N]."""
    one, many = with_sides(box[None]), with_sides(others)
    smaller = np.minimum(one[:, 2:].prod(axis=1), many[:, 2:].prod(axis=1))
    return np.asarray(box_intersections(many, one)[:, 0] / np.maximum(smaller, 1e-9))


def renamed(one: Living, names: Mapping[int, int]) -> Living:
    """A target after others have got other numbers."""
    company = one.company
    apart = tuple(sorted({names.get(number, number) for number in company.apart}))
    return replace(one, company=Company(names.get(company.on, company.on), company.frames, apart))


def both(kept: Living, other: Living) -> Living:
    """A target that goes on for another one, too, under the number of the earlier one."""
    apart = tuple(sorted({*kept.company.apart, *other.company.apart}))
    return replace(
        kept,
        number=min(kept.number, other.number),
        detections=kept.detections + other.detections,
        company=replace(kept.company, apart=apart),
    )


def sighted(one: Living, box: NDArray[np.float64], looks: Tensor) -> Living:
    """A target that was detected in a box."""
    return replace(one, sight=Sight(box.copy(), looks))
