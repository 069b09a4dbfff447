"""Which targets are one object, and which detections go on with a target: each rule by itself."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from vis_pipeline.trackers.siam_rcnn.decision import NONE, Absence, Decision
from vis_pipeline.trackers.siam_rcnn.joining import (
    Join,
    both,
    companies,
    continued,
    holders,
    renamed,
    same_objects,
    shares_of_the_smaller,
)
from vis_pipeline.trackers.siam_rcnn.living import Company, Living, Sight
from vis_pipeline.trackers.siam_rcnn.looks import Appearance
from vis_pipeline.trackers.siam_rcnn.settings import TargetSettings

RED, GREEN = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
OTHER = Absence.ON_ANOTHER_TARGET


def box(x: float, y: float, side: float = 10) -> np.ndarray:
    return np.array([x, y, x + side, y + side], dtype=np.float64)


def one(number: int, company: Company | None = None, **given: Any) -> Living:
    sight = given.pop("sight", Sight(box(0, 0), RED))
    nothing: Any = None
    return Living(number, nothing, nothing, torch.zeros((0, 4)), sight, company or Company(), **given)


def decided(absences: list[int], born: int = 0, ended: list[int] | None = None) -> Decision:
    count = len(absences)
    over = np.zeros(count, dtype=np.bool_)
    over[ended or []] = True
    return Decision(
        np.array(absences, dtype=np.int64),
        np.full(count, NONE),
        np.zeros(count),
        np.arange(born),
        np.zeros(born, dtype=np.int64),
        over,
        np.zeros(count, dtype=np.bool_),
    )


def test_one_on_another_lies_on_the_shown_one_that_it_overlaps_most() -> None:
    boxes = np.stack([box(0, 0), box(6, 0), box(5, 0), box(40, 0), box(6, 0)])
    absences = np.array([Absence.NONE, Absence.NONE, OTHER, Absence.SCORE, Absence.NOT_PRESENT])
    assert holders(boxes, absences).tolist() == [NONE, NONE, 1, NONE, NONE]
    assert holders(boxes[:0], absences[:0]).tolist() == []


def test_frames_with_the_same_other_one_are_counted_in_a_row() -> None:
    living = [one(4), one(7, Company(4, 2)), one(9, Company(4, 5)), one(11, Company(3, 5))]
    on, nothing = np.array([NONE, 0, 0, 0]), np.full(4, NONE)
    met = companies(living, nothing, on, np.array([0.9, 0.3, 0.29, 0.6]), 0.3)
    assert [(company.on, company.frames) for company in met] == [(NONE, 0), (4, 3), (NONE, 0), (4, 1)]


def test_those_that_were_detected_in_one_frame_are_apart_for_good() -> None:
    living = [one(4, Company(apart=(2, 11))), one(7), one(11)]
    met = companies(living, np.array([3, 0, NONE]), np.full(3, NONE), np.zeros(3), 0.3)
    # Number 2 has ended.
    assert [company.apart for company in met] == [(7, 11), (4,), ()]


@pytest.mark.parametrize(
    ("mine", "its", "ended", "expected"),
    [
        (Company(4, 3), Company(), [], [Join(1, 0, 0.6)]),
        (Company(4, 2), Company(), [], []),
        (Company(4, 3, (4,)), Company(), [], []),
        (Company(4, 3), Company(apart=(7,)), [], []),
        (Company(4, 3), Company(), [1], []),
    ],
)
def test_one_object_is_what_chose_one_box_for_long_enough(
    mine: Company, its: Company, ended: list[int], expected: list[Join]
) -> None:
    found = same_objects(
        [one(4), one(7)], [its, mine], np.array([NONE, 0]), np.array([0.9, 0.6]), decided([0, OTHER], 0, ended), 3
    )
    assert found == expected


def test_a_target_takes_up_one_other_in_a_frame() -> None:
    living, met = [one(4), one(7), one(9)], [Company(), Company(4, 3), Company(4, 8)]
    found = same_objects(living, met, np.array([NONE, 0, 0]), np.full(3, 0.5), decided([0, OTHER, OTHER]), 3)
    assert found == [Join(1, 0, 0.5)]


def test_the_smaller_box_decides_what_is_common() -> None:
    found = shares_of_the_smaller(box(0, 0), np.stack([box(0, 0, 30), box(5, 0), box(2, 2, 4), box(50, 0)]))
    np.testing.assert_allclose(found, [1, 0.5, 1, 0])


SETTINGS = TargetSettings(again=0.5, again_frames=4)


def go_on(living: list[Living], absences: list[int], born: np.ndarray, looks: list[torch.Tensor], **given: Any) -> Any:
    templates = [Appearance(torch.zeros((1, 7, 7)), look) for look in looks]
    decision = decided(absences, len(born), given.get("ended"))
    return continued(living, given.get("taken", []), decision, born, templates, SETTINGS)


def test_a_birth_where_an_absent_target_was_goes_on_with_it() -> None:
    here, there = Sight(box(0, 0), RED), Sight(box(40, 0), RED)
    living = [one(3, sight=there, undetected=3), one(5, sight=here, undetected=3)]
    away = [Absence.NOT_PRESENT, Absence.SCORE]
    born = np.stack([box(80, 0), box(4, 0)])
    assert go_on(living, away, born, [RED, RED]) == [Join(1, 3, pytest.approx(0.6))]
    # Of another colour, too far, shown, too long ago, over, or taken up by another one.
    assert go_on(living, away, born, [RED, GREEN]) == []
    assert go_on(living, away, np.stack([box(6, 0)]), [RED]) == []
    assert go_on(living, [Absence.NOT_PRESENT, Absence.NONE], born, [RED, RED]) == []
    assert go_on([living[0], replace(living[1], undetected=4)], away, born, [RED, RED]) == []
    assert go_on(living, away, born, [RED, RED], ended=[1]) == []
    assert go_on(living, away, born, [RED, RED], taken=[Join(1, 0, 0.9)]) == []


def test_two_births_do_not_go_on_with_one_target() -> None:
    living = [one(3, undetected=0), one(5, sight=Sight(box(3, 0), RED), undetected=1)]
    born = np.stack([box(1, 0), box(0, 0)])
    found = go_on(living, [Absence.SCORE] * 2, born, [RED, RED])
    assert [(join.target, join.row) for join in found] == [(0, 2), (1, 3)]


def test_what_goes_on_has_the_earlier_number_and_the_company_of_both() -> None:
    young, old = one(8, Company(2, 1, (5,)), detections=3, undetected=0), one(4, Company(apart=(1,)), detections=6)
    joined = both(young, old)
    assert (joined.number, joined.detections, joined.company) == (4, 9, Company(2, 1, (1, 5)))
    other = renamed(one(5, Company(8, 2, (4, 6, 8))), {8: 4})
    assert other.company == Company(4, 2, (4, 6))
