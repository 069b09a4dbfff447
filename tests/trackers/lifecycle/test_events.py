"""The reason of each decision, in words."""

from test_decision import NOWHERE, frame, offered
from track_rows import rows

from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.events import Event, EventKind, frame_events


def told(detections, predictions, settings, before, numbers, born=(), **more):
    """The events of a frame that has them, for tracks as they were `before`."""
    decision = frame(detections, predictions, settings, **more)
    candidates = offered(detections, predictions, more.get("last"))
    return [event.to_json() for event in frame_events(7, decision, candidates, before, numbers, born)]


def test_a_frame_is_told():
    detections = [((0, 10), 0.9), ((300, 310), 0.8), ((600, 610), 0.1)]
    predictions = [((0, 8), 0.9), ((20, 30), 0.7), ((40, 50), 0.0)]
    assert told(detections, predictions, TrackingSettings(max_hidden=0), rows(3), [4, 5, 9], born=[12]) == [
        {
            "frame": 7,
            "kind": "matched",
            "track": 4,
            "detection": 0,
            "affinity": 1.275,
            "reason": "masks",
            "score": 0.9,
        },
        {"frame": 7, "kind": "predicted", "track": 5, "score": 0.7},
        {"frame": 7, "kind": "hidden", "track": 9, "reason": "score", "score": 0.0},
        {"frame": 7, "kind": "lost", "track": 9, "reason": "hidden for too long"},
        {"frame": 7, "kind": "born", "track": 12, "detection": 1, "score": 0.8},
        {"frame": 7, "kind": "refused", "detection": 2, "reason": "weak", "score": 0.1},
    ]


def test_a_lost_track_is_silent_until_it_comes_back_or_ends():
    settings = TrackingSettings(max_undetected=5)
    row = {"lost": [True], "hidden": [9]}
    absent = [(NOWHERE, 0.0)]
    assert told([], absent, settings, rows(1, **row), [2], **row, undetected=[3]) == []
    ended = told([], absent, settings, rows(1, **row), [2], **row, undetected=[5])
    assert ended == [{"frame": 7, "kind": "ended", "track": 2, "reason": "too long without a detection"}]
    back = [((0, 10), 0.9)]
    (event,) = told(back, absent, settings, rows(1, **row), [2], last=[(8, 10)], **row, undetected=[3])
    assert (event["kind"], event["reason"], event["score"]) == ("matched", "place and colours", 0.9)


def test_what_an_event_does_not_have_is_left_out():
    assert Event(3, EventKind.BORN, 0, 0).to_json() == {"frame": 3, "kind": "born", "track": 0, "detection": 0}


def test_figures_are_rounded():
    event = Event(3, EventKind.MATCHED, 0, 0, 0.12345, score=0.98765)
    assert event.to_json() == {
        "frame": 3,
        "kind": "matched",
        "track": 0,
        "detection": 0,
        "affinity": 0.123,
        "score": 0.988,
    }
    assert Event.from_json(event.to_json()) == Event(3, EventKind.MATCHED, 0, 0, 0.123, score=0.988)
