"""One frame's decisions, on masks that are rectangles of a 1-D world: easy to work out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.tracking import Candidates, Decision, KeptMask, TrackingSettings, decide
from vis_pipeline.tracking.frame import HIDDEN

Span = tuple[int, int]


def overlap(first: Span, second: Span) -> float:
    one, other = set(range(*first)), set(range(*second))
    return len(one & other) / len(one | other) if one | other else 0.0


def frame(
    detections: list[tuple[Span, float]],
    predictions: list[tuple[Span, float]],
    settings: TrackingSettings | None = None,
    missed: list[int] | None = None,
    undetected: list[int] | None = None,
) -> Decision:
    spans = [span for span, _ in detections + predictions]
    candidates = Candidates(
        overlaps=np.array([[overlap(a, b) for b in spans] for a in spans]).reshape(len(spans), len(spans)),
        areas=np.array([stop - start for start, stop in spans], dtype=np.int64),
        detection_scores=np.array([score for _, score in detections]),
        tracking_scores=np.array([score for _, score in predictions]),
    )
    zeros = [0] * len(predictions)
    return decide(
        candidates,
        np.array(zeros if missed is None else missed, dtype=np.int64),
        np.array(zeros if undetected is None else undetected, dtype=np.int64),
        settings or TrackingSettings(),
    )


def test_an_empty_frame_decides_nothing() -> None:
    decision = frame([], [])
    assert len(decision.shown) == len(decision.born) == 0


def test_first_frame_all_strong_detections_are_born_strongest_first() -> None:
    decision = frame([((0, 10), 0.6), ((20, 30), 0.9), ((40, 50), 0.1)], [])
    assert decision.born.tolist() == [1, 0]


def test_no_detections_the_tracks_live_on_their_predictions() -> None:
    decision = frame([], [((0, 10), 0.9), ((20, 30), 0.1)])
    assert decision.shown.tolist() == [0, HIDDEN]
    assert decision.missed.tolist() == [0, 1]
    assert decision.undetected.tolist() == [1, 1]
    assert decision.alive.all()


def test_two_objects_that_cross_keep_their_identities() -> None:
    # Detection order is the reverse of the tracks'; the predictions overlap each other.
    decision = frame([((12, 22), 0.9), ((8, 18), 0.8)], [((8, 19), 0.9), ((11, 22), 0.9)])
    assert dict(zip(decision.assignment.tracks, decision.assignment.detections, strict=True)) == {0: 1, 1: 0}
    assert decision.shown.tolist() == [1, 0]
    assert len(decision.born) == 0


def test_one_leaves_and_another_enters_in_the_same_frame() -> None:
    decision = frame([((50, 60), 0.9)], [((0, 10), 0.05)])
    assert decision.shown.tolist() == [HIDDEN]
    assert decision.born.tolist() == [0]


def test_a_duplicate_detection_gives_no_second_track() -> None:
    decision = frame([((0, 10), 0.9), ((0, 9), 0.8)], [((0, 10), 0.9)])
    assert decision.assignment.detections.tolist() == [0]
    assert len(decision.born) == 0
    assert frame([((0, 10), 0.8), ((0, 9), 0.9)], []).born.tolist() == [1]


def test_ties_go_to_the_earlier_detection() -> None:
    assert frame([((0, 10), 0.7), ((0, 10), 0.7)], []).born.tolist() == [0]
    assert frame([((0, 10), 0.7), ((20, 30), 0.7)], []).born.tolist() == [0, 1]


def test_an_empty_detection_is_never_born_and_an_empty_prediction_is_hidden() -> None:
    assert len(frame([((5, 5), 0.99)], []).born) == 0
    assert frame([], [((5, 5), 0.99)]).shown.tolist() == [HIDDEN]


def test_a_prediction_hijacked_by_a_detected_neighbour_is_hidden() -> None:
    decision = frame([((0, 10), 0.9)], [((0, 10), 0.9), ((0, 9), 0.9)])
    assert decision.shown.tolist() == [0, HIDDEN]


@pytest.mark.parametrize(
    ("kept", "detection_score", "shown"),
    [
        (KeptMask.DETECTOR, 0.1, 0),
        (KeptMask.TRACKER, 0.9, 1),
        (KeptMask.BETTER_SCORED, 0.9, 0),
        (KeptMask.BETTER_SCORED, 0.4, 1),
        (KeptMask.BETTER_SCORED, 0.5, 0),
    ],
)
def test_which_mask_a_matched_track_keeps(kept: KeptMask, detection_score: float, shown: int) -> None:
    decision = frame([((0, 10), detection_score)], [((1, 10), 0.5)], TrackingSettings(kept_mask=kept))
    assert decision.shown.tolist() == [shown]


def test_death_after_too_many_hidden_or_undetected_frames() -> None:
    settings = TrackingSettings(max_missed=2, max_undetected=5)
    hidden = ((0, 10), 0.0)
    assert frame([], [hidden, hidden], settings, missed=[1, 2], undetected=[1, 2]).alive.tolist() == [True, False]
    followed = [((0, 10), 0.9), ((20, 30), 0.9)]
    assert frame([], followed, settings, missed=[0, 0], undetected=[4, 5]).alive.tolist() == [True, False]


def test_a_track_that_dies_here_makes_room_for_a_birth_in_its_place() -> None:
    settings = TrackingSettings(match_iou=0.9, max_undetected=0, max_alive=1)
    decision = frame([((0, 8), 0.9)], [((0, 10), 0.9)], settings)
    assert decision.alive.tolist() == [False]
    assert decision.born.tolist() == [0]


def test_births_wait_while_too_many_are_alive() -> None:
    settings = TrackingSettings(max_alive=2)
    decision = frame([((50, 60), 0.8), ((70, 80), 0.9)], [((0, 10), 0.9)], settings)
    assert decision.born.tolist() == [1]


spans = st.tuples(st.integers(0, 30), st.integers(0, 12)).map(lambda start_length: (start_length[0], sum(start_length)))
scored = st.lists(st.tuples(spans, st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0])), max_size=6)


@given(scored, scored, st.sampled_from(list(KeptMask)))
def test_every_decision_is_consistent(
    detections: list[tuple[Span, float]], predictions: list[tuple[Span, float]], kept: KeptMask
) -> None:
    settings = TrackingSettings(kept_mask=kept)
    decision = frame(detections, predictions, settings)
    used = set(decision.assignment.detections.tolist())
    assert used.isdisjoint(decision.born.tolist())
    shown = decision.shown[decision.shown != HIDDEN]
    assert len(set(shown.tolist())) == len(shown), "two tracks show one mask"
    assert ((decision.shown == HIDDEN) == (decision.missed > 0)).all()
    matched = np.isin(np.arange(len(predictions)), decision.assignment.tracks)
    assert (matched == (decision.undetected == 0)).all()
    for track, (span, score) in enumerate(predictions):
        if not matched[track] and decision.shown[track] != HIDDEN:
            assert score >= settings.visible_score
            assert span[1] > span[0]
    for position, detection in enumerate(decision.born):
        span, score = detections[detection]
        assert score >= settings.birth_score
        assert all(overlap(span, detections[other][0]) < settings.duplicate_iou for other in decision.born[:position])
