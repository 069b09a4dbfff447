import pytest

from vis_pipeline.errors import DataError
from vis_pipeline.report.rules import rule_in_words
from vis_pipeline.report.stories import scores, sorted_events, states
from vis_pipeline.trackers.lifecycle.belief import Doubt
from vis_pipeline.trackers.lifecycle.birth_and_death import Refusal
from vis_pipeline.trackers.lifecycle.decision import SWEEPS
from vis_pipeline.trackers.lifecycle.events import Event, EventKind
from vis_pipeline.trackers.siam_rcnn.decision import Absence
from vis_pipeline.trackers.siam_rcnn.decision import Refusal as TargetRefusal

BORN, MATCHED, PREDICTED, HIDDEN = EventKind.BORN, EventKind.MATCHED, EventKind.PREDICTED, EventKind.HIDDEN
LOST, ENDED, REFUSED, CUT = EventKind.LOST, EventKind.ENDED, EventKind.REFUSED, EventKind.CUT
RECALLED, REPORTED, DROPPED = EventKind.RECALLED, EventKind.REPORTED, EventKind.DROPPED


def stories(*events, results=1):
    return sorted_events([event.to_json() for event in events], results, "here")


def letters(masks):
    return [letter == "x" for letter in masks]


def test_events_go_to_the_results_that_their_tracks_became():
    found = stories(
        Event(0, BORN, 0, 0),
        Event(0, BORN, 1, 1),
        Event(0, REFUSED, None, 2, None, "weak"),
        Event(1, PREDICTED, 1),
        Event(1, REPORTED, 1, reason="result 0"),
        Event(1, DROPPED, 0, reason="too few detections, or none that is sure"),
        results=2,
    )
    first, second = found.results
    assert [note.kind for note in first or ()] == ["born", "predicted", "reported"]
    assert second is None
    assert [[note.kind for note in told] for told in found.dropped] == [["born", "dropped"]]
    assert [note.detection for note in found.refused] == [2]


def test_what_a_track_was_before_it_was_known_again_is_its_own():
    found = stories(
        Event(0, BORN, 0, 0),
        Event(1, LOST, 0, reason="hidden for too long"),
        Event(3, BORN, 4, 1),
        Event(4, RECALLED, 0, affinity=0.7, reason="track 4 goes on as it"),
        Event(5, MATCHED, 0, 0, 0.9, "masks"),
        Event(5, REPORTED, 0, reason="result 0"),
        Event(5, DROPPED, 4, reason="too few detections, or none that is sure"),
    )
    (notes,) = found.results
    assert [(note.frame, note.kind) for note in notes or ()] == [
        (0, "born"),
        (1, "lost"),
        (3, "born"),
        (4, "recalled"),
        (5, "matched"),
        (5, "reported"),
    ]
    assert found.dropped == ()
    assert states(notes, letters("x..xxx")) == "d.lddd"


def test_recalls_in_a_circle_end():
    found = stories(
        Event(0, RECALLED, 0, reason="track 1 goes on as it"),
        Event(0, RECALLED, 1, reason="track 0 goes on as it"),
        Event(0, REPORTED, 0, reason="result 0"),
    )
    assert found.results[0] is not None


def test_each_frame_has_its_state():
    (notes,) = stories(
        Event(1, BORN, 0, 0, score=0.5),
        Event(2, PREDICTED, 0, score=0.24),
        Event(3, HIDDEN, 0, reason="score", score=0.01),
        Event(4, HIDDEN, 0, reason="score"),
        Event(4, LOST, 0, reason="hidden for too long"),
        Event(7, MATCHED, 0, 2, 0.6, "place and colours", 0.999),
        Event(8, PREDICTED, 0, score=0.3),
        Event(8, CUT, 0, reason="nothing confirmed it"),
        Event(9, HIDDEN, 0, reason="too long"),
        Event(9, ENDED, 0, reason="too long without a detection"),
        Event(11, REPORTED, 0, reason="result 0"),
    ).results
    assert states(notes, letters(".xx....x....")) == ".dphhlldch.."
    assert scores(notes, 12) == [None, 50, 24, 1, None, None, None, 100, 30, None, None, None]


def test_masks_have_the_last_word():
    (notes,) = stories(
        Event(0, PREDICTED, 0), Event(1, MATCHED, 0, 0, 0.4, "masks"), Event(1, REPORTED, 0, None, None, "result 0")
    ).results
    assert states(notes, letters("..x")) == "c.d"


def test_a_lost_track_that_never_returns_is_lost_to_the_end():
    (notes,) = stories(Event(0, BORN, 0, 0), Event(1, LOST, 0), Event(3, REPORTED, 0, None, None, "result 0")).results
    assert states(notes, letters("x...")) == "d.ll"


def test_without_events_masks_are_only_shown():
    assert states(None, letters("x.x")) == "s.s"
    assert scores(None, 2) == [None, None]


@pytest.mark.parametrize("content", [3, {"frame": "1", "kind": "born"}, {"kind": "born"}])
def test_what_is_no_event_is_named(content):
    with pytest.raises(DataError, match=r"here: event 1: .*remove the file"):
        sorted_events([{"frame": 0, "kind": "born", "track": 0}, content], 0, "here")


def every_reason():
    lower = [(HIDDEN, Doubt), (REFUSED, Refusal), (HIDDEN, Absence), (REFUSED, TargetRefusal)]
    for kind, reasons in lower:
        yield from ((kind.value, reason.name.lower().replace("_", " ")) for reason in reasons if reason != reasons.NONE)
    yield from (("matched", sweep) for sweep in (*SWEEPS, "re-detection"))
    yield from ((kind.value, None) for kind in (BORN, PREDICTED, LOST, CUT, REPORTED, RECALLED))
    yield from (("ended", reason) for reason in ("too long without a detection", "makes room for another target"))


def test_every_rule_has_its_words():
    for kind, reason in every_reason():
        words = rule_in_words(kind, reason, {})
        assert "{" not in words
        assert len(words.split()) > 4, (kind, reason)


def test_rules_name_the_values_of_settings():
    settings = {
        "tracking": {"birth_score": 0.25, "belief": {"score": 0.2}},
        "tracker": {"targets": {"known_score": 0.3}},
    }
    assert rule_in_words("refused", "weak", settings) == "Its score is below birth_score 0.25."
    assert "below belief.score 0.2." in rule_in_words("hidden", "score", settings)
    assert "targets.known_score 0.3" in rule_in_words("refused", "known", settings)
    assert rule_in_words("refused", "weak", {}) == "Its score is below birth_score."


def test_an_unknown_rule_says_what_the_event_says():
    assert rule_in_words("hidden", "<b>moon</b>", {}) == "Hidden: <b>moon</b>."
    assert rule_in_words("vanished", None, {}) == "vanished."
