import pytest

from vis_pipeline.errors import DataError
from vis_pipeline.trackers.lifecycle.events import Event, EventKind
from vis_pipeline.visualize.provenance import predicted_frames


def _events(*events):
    return [Event(*event).to_json() for event in events]


def test_predictions_are_found_for_each_result_whatever_its_tracks_number():
    events = _events(
        (0, EventKind.BORN, 0, 0),
        (0, EventKind.BORN, 1, 1),
        (1, EventKind.MATCHED, 0, 0, 0.9, "masks"),
        (1, EventKind.PREDICTED, 1),
        (2, EventKind.HIDDEN, 0, None, None, "score"),
        (2, EventKind.PREDICTED, 1),
        (3, EventKind.PREDICTED, 0),
        (3, EventKind.REFUSED, None, 4, None, "duplicate"),
        (3, EventKind.DROPPED, 2, None, None, "too few detections, or none that is sure"),
        (3, EventKind.REPORTED, 1, None, None, "result 0"),
        (3, EventKind.REPORTED, 0, None, None, "result 1"),
    )
    assert predicted_frames(events, 2, "here") == ({1, 2}, {3})


def test_results_that_no_event_names_have_no_predictions():
    events = _events((1, EventKind.PREDICTED, 0), (1, EventKind.REPORTED, 0, None, None, "result 5"))
    assert predicted_frames(events, 2, "here") == (frozenset(), frozenset())
    assert predicted_frames([], 1, "here") == (frozenset(),)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (3, "here: event 0: not an object but 3; remove the file"),
        ({"kind": "predicted"}, "`frame` is missing"),
        ({"frame": "1", "kind": "predicted"}, "event 0: frame: "),
    ],
)
def test_what_is_no_event_is_named(event, message):
    with pytest.raises(DataError, match=message) as caught:
        predicted_frames([event], 1, "here")
    assert "\n" not in str(caught.value)
