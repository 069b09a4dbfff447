"""The reason of each decision, in words."""

from test_decision import NOWHERE, frame
from track_rows import rows

from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.events import Event, EventKind, frame_events


def told(decision, before, numbers, born=()):
    return [event.to_json() for event in frame_events(7, decision, before, numbers, born)]


def test_a_frame_is_told():
    detections = [((0, 10), 0.9), ((300, 310), 0.8), ((600, 610), 0.1)]
    predictions = [((0, 8), 0.9), ((20, 30), 0.9), ((40, 50), 0.0)]
    settings = TrackingSettings(max_hidden=0)
    decision = frame(detections, predictions, settings)
    assert told(decision, rows(3), [4, 5, 9], born=[12]) == [
        {"frame": 7, "kind": "matched", "track": 4, "detection": 0, "affinity": 1.275, "reason": "masks"},
        {"frame": 7, "kind": "predicted", "track": 5},
        {"frame": 7, "kind": "hidden", "track": 9, "reason": "score"},
        {"frame": 7, "kind": "lost", "track": 9, "reason": "hidden for too long"},
        {"frame": 7, "kind": "born", "track": 12, "detection": 1},
        {"frame": 7, "kind": "refused", "detection": 2, "reason": "weak"},
    ]


def test_a_lost_track_is_silent_until_it_comes_back_or_ends():
    settings = TrackingSettings(max_undetected=5)
    row = {"lost": [True], "hidden": [9]}
    assert told(frame([], [(NOWHERE, 0.0)], settings, **row, undetected=[3]), rows(1, **row), [2]) == []
    ended = told(frame([], [(NOWHERE, 0.0)], settings, **row, undetected=[5]), rows(1, **row), [2])
    assert ended == [{"frame": 7, "kind": "ended", "track": 2, "reason": "too long without a detection"}]
    back = frame([((0, 10), 0.9)], [(NOWHERE, 0.0)], settings, last=[(8, 10)], **row, undetected=[3])
    (event,) = told(back, rows(1, **row), [2])
    assert (event["kind"], event["reason"]) == ("matched", "place and colours")


def test_what_an_event_does_not_have_is_left_out():
    assert Event(3, EventKind.BORN, 0, 0).to_json() == {"frame": 3, "kind": "born", "track": 0, "detection": 0}
