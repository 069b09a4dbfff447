"""What a frame makes of a video's targets: each rule by itself."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.siam_rcnn.decision import (
    NONE,
    Absence,
    Choices,
    Decision,
    Refusal,
    births,
    decide,
    detected,
    recognised,
    why_absent,
)
from vis_pipeline.trackers.siam_rcnn.settings import TargetSettings

SETTINGS = TargetSettings(shown_score=0.4, shared_iou=0.5, max_unconfirmed=2, max_undetected=9, max_targets=3)
TRACKING = TrackingSettings(birth_score=0.5, min_detections=3)
NOTHING = (np.zeros((0, 4)), np.zeros(0))


def squares(*corners: tuple[float, float], side: float = 10) -> np.ndarray:
    return np.array([[x, y, x + side, y + side] for x, y in corners], dtype=np.float64).reshape(-1, 4)


def choices(
    boxes: np.ndarray,
    scores: list[float],
    present: list[bool] | None = None,
    detections: list[int] | None = None,
    undetected: list[int] | None = None,
) -> Choices:
    count = len(scores)
    return Choices(
        boxes,
        np.array(scores, dtype=np.float64),
        np.array(scores, dtype=np.float64),
        np.array([True] * count if present is None else present, dtype=np.bool_),
        np.array([5] * count if detections is None else detections, dtype=np.int64),
        np.array([0] * count if undetected is None else undetected, dtype=np.int64),
    )


def iou(one: np.ndarray, other: np.ndarray) -> float:
    w, h = (max(0.0, min(one[2 + axis], other[2 + axis]) - max(one[axis], other[axis])) for axis in (0, 1))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return w * h / (sum(areas) - w * h)


def test_no_two_targets_are_one_object() -> None:
    chosen = choices(squares((0, 0), (2, 0), (40, 0), (41, 0), (80, 0)), [0.6, 0.9, 0.7, 0.7, 0.3])
    assert why_absent(chosen, SETTINGS).tolist() == [
        Absence.ON_ANOTHER_TARGET,
        Absence.NONE,
        Absence.NONE,
        Absence.ON_ANOTHER_TARGET,
        Absence.SCORE,
    ]


def test_one_that_stays_where_it_was_yields_to_much_better_ones_only() -> None:
    settings = TargetSettings(staying=0.2)
    for score, winner in ((0.75, 1), (0.85, 0)):
        chosen = choices(squares((0, 0), (1, 0)), [score, 0.6], None, None, [3, 0])
        assert why_absent(chosen, settings).tolist().index(Absence.NONE) == winner


def test_one_that_is_not_shown_keeps_no_other_from_its_box() -> None:
    chosen = choices(squares((0, 0), (1, 0), (2, 0)), [0.9, 0.3, 0.5], [False, True, True])
    assert why_absent(chosen, SETTINGS).tolist() == [Absence.NOT_PRESENT, Absence.SCORE, Absence.NONE]


def test_overlap_up_to_the_setting_is_allowed() -> None:
    boxes = squares((0, 0), (5, 0))  # IoU 1/3
    for least, second in ((1 / 3 + 1e-9, Absence.NONE), (1 / 3 - 1e-9, Absence.ON_ANOTHER_TARGET)):
        found = why_absent(choices(boxes, [0.9, 0.8]), TargetSettings(shared_iou=least))
        assert found.tolist() == [Absence.NONE, second]


@st.composite
def crowds(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    places = st.tuples(st.integers(0, 25), st.integers(0, 12))
    return (
        squares(*draw(st.lists(places, max_size=4))),
        squares(*draw(st.lists(places, max_size=4))),
    )


@given(crowds())
def test_detections_are_given_out_for_the_largest_sum(crowd: tuple[np.ndarray, np.ndarray]) -> None:
    chosen, boxes = crowd
    found, overlaps = detected(chosen, boxes, np.arange(len(chosen)), 0.3)
    table = [[value if (value := iou(one, other)) >= 0.3 else 0.0 for other in boxes] for one in chosen]
    seats = [*range(len(boxes)), *[None] * len(chosen)]
    best = max(
        sum(0.0 if seat is None else table[row][seat] for row, seat in enumerate(order))
        for order in set(permutations(seats, len(chosen)))
    )
    assert overlaps.sum() == pytest.approx(best)
    taken = found[found != NONE].tolist()
    assert len(set(taken)) == len(taken)
    for row, seat in enumerate(found.tolist()):
        assert overlaps[row] == (0 if seat == NONE else pytest.approx(table[row][seat]))


def test_who_is_absent_has_no_detection() -> None:
    boxes = squares((0, 0), (40, 0))
    found, overlaps = detected(boxes, boxes, np.array([1]), 0.5)
    assert found.tolist() == [NONE, 1] and overlaps.tolist() == [0, 1]


def test_an_absent_target_is_recognised_where_its_redetection_lies() -> None:
    boxes = squares((0, 0), (40, 0), (80, 0))
    again = [(squares((1, 0), (41, 0)), np.array([0.7, 0.2])), NOTHING]
    assert recognised(boxes, again, TargetSettings(known_score=0.5)).tolist() == [True, False, False]
    assert recognised(boxes, again, TargetSettings(known_score=0.1)).tolist() == [True, True, False]
    assert recognised(boxes, again, TargetSettings(known_score=0.5, on_iou=0.9)).tolist() == [False] * 3


def test_each_reason_for_no_birth() -> None:
    boxes = np.concatenate([squares((0, 0), (20, 0), (40, 0), (41, 0), (60, 0), (80, 0), (99, 0)), [[5, 5, 5, 9]]])
    scores = np.array([0.9, 0.4, 0.9, 0.8, 0.9, 0.95, 0.6, 0.9])
    known = np.array([False] * 4 + [True] + [False] * 3)
    shown = squares((1, 0), (90, 90))
    born, refused = births(boxes, scores, shown, np.array([], dtype=np.int64), known, 2, TRACKING)
    assert born.tolist() == [5, 2]
    assert [Refusal(reason).name for reason in refused] == [
        "ON_TARGET",
        "WEAK",
        "NONE",
        "ON_BIRTH",
        "KNOWN",
        "NONE",
        "FULL",
        "EMPTY",
    ]


def test_a_part_of_a_target_starts_none_and_a_detection_of_it_neither() -> None:
    boxes = np.array([[2.0, 2, 6, 6], [0, 0, 10, 10]])
    born, refused = births(boxes, np.ones(2), squares((0, 0)), np.array([1]), np.zeros(2, np.bool_), 9, TRACKING)
    assert born.tolist() == [] and refused.tolist() == [Refusal.ON_TARGET, Refusal.NONE]


def decided(chosen: Choices, boxes: np.ndarray, settings: TargetSettings = SETTINGS) -> Decision:
    return decide(chosen, boxes, np.full(len(boxes), 0.9), [NOTHING] * len(chosen), settings, TRACKING)


def test_targets_end_that_go_undetected_for_too_long() -> None:
    chosen = choices(squares((0, 0), (20, 0), (40, 0), (60, 0)), [0.9, 0.9, 0.9, 0.9], None, [2, 2, 5, 5], [1, 2, 8, 9])
    assert decided(chosen, squares()).ended.tolist() == [False, True, False, True]
    # The detection that confirms one comes in time.
    assert decided(chosen, squares((20, 0))).ended.tolist() == [False, False, False, True]


def test_the_longest_undetected_absent_target_makes_room() -> None:
    chosen = choices(squares((0, 0), (20, 0), (40, 0)), [0.9, 0.0, 0.0], None, None, [0, 3, 5])
    decision = decided(chosen, squares((80, 0)))
    assert decision.born.tolist() == [0] and decision.crowded_out.tolist() == [False, False, True]
    decision = decided(chosen, squares((80, 0), (100, 0), (120, 0)))
    assert decision.born.tolist() == [0, 1] and decision.crowded_out.tolist() == [False, True, True]
    assert decision.refused.tolist() == [0, 0, Refusal.FULL]
    assert not decided(chosen, squares()).crowded_out.any()


def test_nothing_is_shown_and_nothing_begins_without_a_mask() -> None:
    chosen = choices(squares((0, 0), (20, 0)), [0.9, 0.9])
    decision = decided(chosen, squares((0, 0), (60, 0), (80, 0)), TargetSettings())
    assert decision.confirmed.tolist() == [True, False, True, True]
    after = decision.without(np.array([True, False, False, True]), Absence.NO_MASK)
    assert after.absences.tolist() == [Absence.NO_MASK, Absence.NONE] and after.shown.tolist() == [1]
    assert after.found.tolist() == [NONE, NONE] and after.overlaps.tolist() == [0, 0]
    assert after.born.tolist() == [1] and after.refused.tolist() == [0, 0, Refusal.EMPTY]
    assert after.confirmed.tolist() == [False, True]
    assert decision.found.tolist() == [0, NONE] and decision.born.tolist() == [1, 2]
