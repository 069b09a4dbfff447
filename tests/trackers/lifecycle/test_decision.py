"""One frame's decisions, on masks that are intervals of a 1-D world: easy to work out by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from track_rows import rows

from vis_pipeline.trackers.lifecycle import Candidates, Decision, KeptMask, TrackingSettings, decide
from vis_pipeline.trackers.lifecycle.belief import Doubt
from vis_pipeline.trackers.lifecycle.birth_and_death import Refusal
from vis_pipeline.trackers.lifecycle.decision import HIDDEN
from vis_pipeline.trackers.lifecycle.settings import BeliefSettings

Span = tuple[int, int]
NOWHERE = (5, 5)


def overlap(first: Span, second: Span) -> float:
    one, other = set(range(*first)), set(range(*second))
    return len(one & other) / len(one | other) if one | other else 0.0


def boxes(spans: Sequence[Span]) -> np.ndarray:
    """Boxes of height 10 above the spans."""
    return np.array([[start, 0, stop - start, 10] for start, stop in spans], dtype=np.float64).reshape(-1, 4)


def offered(
    detections: list[tuple[Span, float]],
    predictions: list[tuple[Span, float]],
    last: list[Span] | None = None,
    alike: np.ndarray | None = None,
) -> Candidates:
    """A frame in which all look alike, unless said otherwise [M + N, N], and tracks were `last` where predicted now."""
    spans = [span for span, _ in detections + predictions]
    tracks = [span for span, _ in predictions] if last is None else last
    count = len(detections)
    return Candidates(
        overlaps=np.array([[overlap(a, b) for b in spans] for a in spans]).reshape(len(spans), len(spans)),
        expected=np.array([[overlap(a, b) for b in tracks] for a in spans[:count]]).reshape(count, len(tracks)),
        likeness=np.ones((len(spans), len(tracks))) if alike is None else alike,
        areas=np.array([10 * (stop - start) for start, stop in spans], dtype=np.int64),
        boxes=boxes(spans),
        located=boxes(spans[count:]),
        detection_scores=np.array([score for _, score in detections]),
        tracking_scores=np.array([score for _, score in predictions]),
        labels=np.ones(count, dtype=np.int64),
    )


def frame(
    detections: list[tuple[Span, float]],
    predictions: list[tuple[Span, float]],
    /,
    settings: TrackingSettings | None = None,
    last: list[Span] | None = None,
    alike: np.ndarray | None = None,
    **row: object,
) -> Decision:
    """What is decided about such a frame."""
    candidates = offered(detections, predictions, last, alike)
    tracks = [span for span, _ in predictions] if last is None else last
    areas = np.array([10.0 * max(stop - start, 1) for start, stop in tracks])
    table = rows(len(tracks), **{"boxes": boxes(tracks), "areas": areas, **row})
    return decide(candidates, table, settings or TrackingSettings())


def matches(decision: Decision) -> dict[int, int]:
    """The detection of each matched track."""
    assigned = decision.assignment
    return dict(zip(assigned.tracks.tolist(), assigned.detections.tolist(), strict=True))


def test_an_empty_frame_decides_nothing() -> None:
    decision = frame([], [])
    assert len(decision.shown) == len(decision.born) == 0


def test_first_frame_all_strong_detections_are_born_strongest_first() -> None:
    decision = frame([((0, 10), 0.6), ((20, 30), 0.9), ((40, 50), 0.1)], [])
    assert decision.born.tolist() == [1, 0]
    assert decision.refusals.tolist() == [Refusal.NONE, Refusal.NONE, Refusal.WEAK]
    assert decision.newborn.boxes.tolist() == [[20, 0, 10, 10], [0, 0, 10, 10]]


def test_no_detections_the_tracks_live_on_what_is_believed_of_their_predictions() -> None:
    decision = frame([], [((0, 10), 0.9), ((20, 30), 0.1)])
    assert decision.shown.tolist() == [0, HIDDEN]
    assert decision.doubts.tolist() == [Doubt.NONE, Doubt.SCORE]
    assert decision.table.hidden.tolist() == [0, 1]
    assert decision.table.undetected.tolist() == [1, 1]
    assert decision.alive.all()


def test_two_objects_that_cross_keep_their_identities() -> None:
    # Detection order is the reverse of the tracks'; the predictions overlap each other.
    decision = frame([((12, 22), 0.9), ((8, 18), 0.8)], [((8, 19), 0.9), ((11, 22), 0.9)])
    assert matches(decision) == {0: 1, 1: 0}
    assert decision.shown.tolist() == [1, 0]
    assert len(decision.born) == 0


def test_where_masks_say_both_colours_decide() -> None:
    detections = [((0, 10), 0.9), ((1, 11), 0.9)]
    predictions = [((0, 11), 0.9), ((0, 11), 0.9)]
    swapped = np.array([[0.4, 1.0], [1.0, 0.4], [1, 1], [1, 1]])
    assert matches(frame(detections, predictions, alike=swapped)) == {0: 1, 1: 0}
    assert matches(frame(detections, predictions, alike=swapped[[1, 0, 2, 3]])) == {0: 0, 1: 1}


def test_an_owner_gets_its_detection_though_a_hidden_track_fits_it_better() -> None:
    settings = TrackingSettings(owner_undetected=4)
    decision = frame([((0, 10), 0.9)], [((0, 10), 0.9), ((3, 13), 0.9)], settings, undetected=[5, 0])
    assert matches(decision) == {1: 0}
    # What lies on the owner's detection is not shown a second time.
    assert decision.shown.tolist() == [HIDDEN, 0]
    assert decision.doubts[0] == Doubt.ON_DETECTION


def test_a_drifted_prediction_does_not_lose_the_object_that_stands_where_it_was() -> None:
    decision = frame([((0, 10), 0.9)], [((40, 50), 0.9)], last=[(1, 11)])
    assert matches(decision) == {0: 0}
    assert decision.agreements.tolist() == [0]


def test_what_no_mask_joins_place_and_colours_do() -> None:
    # Out from behind something: the last mask was a sliver beside what shows now.
    emerging, sliver = ((0, 10), 0.9), [(8, 10)]
    decision = frame([emerging], [(NOWHERE, 0.0)], last=sliver)
    assert matches(decision) == {0: 0}
    assert decision.assignment.sweeps.tolist() == [1]
    unlike = np.array([[0.5], [1.0]])
    assert matches(frame([emerging], [(NOWHERE, 0.0)], last=sliver, alike=unlike)) == {}
    assert matches(frame([((30, 40), 0.9)], [(NOWHERE, 0.0)], last=sliver)) == {}


def test_a_lost_track_is_found_where_it_was_but_only_if_nobody_else_is_there() -> None:
    lost = frame([((0, 10), 0.9)], [(NOWHERE, 0.0)], last=[(0, 10)], lost=[True], undetected=[12])
    assert matches(lost) == {0: 0}
    assert lost.table.lost.tolist() == [False]
    both = frame(
        [((0, 10), 0.9)], [(NOWHERE, 0.0), ((2, 12), 0.9)], last=[(0, 10), (2, 12)], lost=[True, False]
    )  # fmt: skip
    assert matches(both) == {1: 0}


def test_one_leaves_and_another_enters_in_the_same_frame() -> None:
    decision = frame([((50, 60), 0.9)], [((0, 10), 0.05)])
    assert decision.shown.tolist() == [HIDDEN]
    assert decision.born.tolist() == [0]


def test_a_duplicate_detection_gives_no_second_track() -> None:
    decision = frame([((0, 10), 0.9), ((0, 9), 0.8)], [((0, 10), 0.9)])
    assert decision.assignment.detections.tolist() == [0]
    assert decision.refusals.tolist() == [Refusal.ON_TRACK]
    assert frame([((0, 10), 0.8), ((0, 9), 0.9)], []).born.tolist() == [1]


def test_a_part_of_a_detected_object_gives_no_second_track() -> None:
    assert overlap((0, 10), (1, 4)) < TrackingSettings().duplicate_iou
    assert frame([((0, 10), 0.9), ((1, 4), 0.9)], [((0, 10), 0.9)]).refusals.tolist() == [Refusal.ON_TRACK]
    assert frame([((0, 10), 0.9), ((1, 4), 0.8)], []).refusals.tolist() == [Refusal.NONE, Refusal.ON_BIRTH]
    # A part of a mere prediction may well be another object, in front of where it is believed to be.
    settings = TrackingSettings(match_iou=0.9, match_kinship=1)
    assert frame([((1, 4), 0.9)], [((0, 10), 0.9)], settings).born.tolist() == [0]


def test_ties_go_to_the_earlier_detection() -> None:
    assert frame([((0, 10), 0.7), ((0, 10), 0.7)], []).born.tolist() == [0]
    assert frame([((0, 10), 0.7), ((20, 30), 0.7)], []).born.tolist() == [0, 1]


def test_an_empty_detection_is_never_born_and_an_empty_prediction_is_hidden() -> None:
    assert frame([(NOWHERE, 0.99)], []).refusals.tolist() == [Refusal.EMPTY]
    assert frame([], [(NOWHERE, 0.99)]).shown.tolist() == [HIDDEN]


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
    settings = TrackingSettings(kept_mask=kept)
    assert frame([((0, 10), detection_score)], [((1, 10), 0.5)], settings).shown.tolist() == [shown]
    # A prediction that lies elsewhere is not kept, and without one there is only the detection.
    assert frame([((0, 10), detection_score)], [((40, 50), 0.99)], settings, last=[(1, 11)]).shown.tolist() == [0]
    assert frame([((0, 10), detection_score)], [(NOWHERE, 0.99)], settings, last=[(0, 10)]).shown.tolist() == [0]


def test_a_track_hidden_for_too_long_is_lost_and_one_undetected_for_too_long_ends() -> None:
    settings = TrackingSettings(max_hidden=2, max_undetected=5)
    unseen = ((0, 10), 0.0)
    decision = frame([], [unseen, unseen, unseen], settings, hidden=[1, 2, 2], undetected=[1, 2, 5])
    assert decision.table.lost.tolist() == [False, True, True]
    assert decision.alive.tolist() == [True, True, False]


def test_a_track_that_ends_here_keeps_its_place_from_a_birth_only_where_it_is_shown() -> None:
    believing = TrackingSettings(
        match_iou=0.9, match_kinship=1, max_undetected=0, belief=BeliefSettings(frames=9, covered=1)
    )
    shown = frame([((0, 8), 0.9)], [((0, 10), 0.9)], believing)
    assert shown.alive.tolist() == [False]
    assert shown.shown.tolist() == [1]
    assert shown.refusals.tolist() == [Refusal.ON_TRACK]
    hidden = frame([((0, 8), 0.9)], [((0, 10), 0.0)], believing)
    assert hidden.born.tolist() == [0]


def test_births_wait_while_too_many_are_alive() -> None:
    settings = TrackingSettings(max_alive=2)
    decision = frame([((50, 60), 0.8), ((70, 80), 0.9)], [((0, 10), 0.9)], settings)
    assert decision.born.tolist() == [1]
    assert decision.refusals.tolist() == [Refusal.FULL, Refusal.NONE]


spans = st.tuples(st.integers(0, 30), st.integers(0, 12)).map(lambda start_length: (start_length[0], sum(start_length)))
scored = st.lists(st.tuples(spans, st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0])), max_size=6)


@given(scored, scored, st.sampled_from(list(KeptMask)), st.data())
def test_every_decision_is_consistent(
    detections: list[tuple[Span, float]], predictions: list[tuple[Span, float]], kept: KeptMask, data: st.DataObject
) -> None:
    settings = TrackingSettings(kept_mask=kept)
    count = len(predictions)
    numbers = st.lists(st.integers(0, 30), min_size=count, max_size=count)
    last = data.draw(st.lists(spans, min_size=count, max_size=count))
    undetected, found = data.draw(numbers), data.draw(numbers)
    decision = frame(
        detections, predictions, settings, last, undetected=undetected, detections=np.array(found, int) + 1
    )  # fmt: skip
    used = set(decision.assignment.detections.tolist())
    assert used.isdisjoint(decision.born.tolist())
    shown = decision.shown[decision.shown != HIDDEN]
    assert len(set(shown.tolist())) == len(shown), "two tracks show one mask"
    assert ((decision.shown == HIDDEN) == (decision.table.hidden > 0)).all()
    matched = np.isin(np.arange(count), decision.assignment.tracks)
    assert (matched == (decision.table.undetected == 0)).all()
    assert (decision.alive == (decision.table.undetected <= settings.max_undetected)).all()
    everything = [span for span, _ in detections + predictions]
    for track, (span, score) in enumerate(predictions):
        if not matched[track] and decision.shown[track] != HIDDEN:
            assert score >= settings.belief.score
            assert span[1] > span[0]
            inside = [len(set(range(*span)) & set(range(*other))) for other, _ in detections]
            assert max(inside, default=0) <= settings.belief.covered * (span[1] - span[0])
    for position, detection in enumerate(decision.born):
        span, score = detections[detection]
        assert score >= settings.birth_score
        others = [detections[other][0] for other in decision.born[:position]] + [everything[index] for index in shown]
        assert all(overlap(span, other) < settings.duplicate_iou for other in others)
