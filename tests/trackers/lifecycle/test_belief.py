"""Rule by rule: which predictions of undetected tracks are believed."""

from dataclasses import replace

import numpy as np
import pytest
from track_rows import rows

from vis_pipeline.trackers.lifecycle.belief import Doubt, Prediction, doubts
from vis_pipeline.trackers.lifecycle.settings import BeliefSettings

SETTINGS = BeliefSettings(
    frames=5,
    score=0.4,
    usual_score=0.5,
    likeness=0.7,
    box_iou=0.5,
    area_change=2,
    distance=0.5,
    distance_growth=0.25,
    covered=0.5,
)


def sound(count=1):
    """Predictions of 10 x 10 boxes at the origin that nothing speaks against."""
    boxes = np.array([[0.0, 0, 10, 10]] * count)
    return Prediction(
        scores=np.full(count, 0.9),
        likeness=np.full(count, 0.9),
        areas=np.full(count, 100),
        boxes=boxes,
        located=boxes,
        on_detections=np.zeros(count),
        on_predictions=np.eye(count),
    )


def judged(prediction, table, undetected=None, momentum=0.5):
    free = np.ones(len(table), dtype=bool) if undetected is None else np.array(undetected)
    return [Doubt(doubt) for doubt in doubts(prediction, table, free, momentum, SETTINGS)]


def test_a_sound_prediction_is_believed():
    assert judged(sound(), rows(1)) == [Doubt.NONE]


@pytest.mark.parametrize(
    ("change", "row", "doubt"),
    [
        ({}, {"lost": [True]}, Doubt.LOST),
        ({"areas": [0]}, {}, Doubt.EMPTY),
        ({}, {"undetected": [4]}, Doubt.NONE),
        ({}, {"undetected": [5]}, Doubt.TOO_LONG),
        ({"scores": [0.41]}, {"usual_scores": [0.8]}, Doubt.NONE),
        ({"scores": [0.39]}, {"usual_scores": [0.4]}, Doubt.SCORE),
        ({"scores": [0.41]}, {"usual_scores": [0.9]}, Doubt.USUAL_SCORE),
        ({"scores": [0.41]}, {"usual_scores": [np.nan]}, Doubt.NONE),
        ({"likeness": [0.69]}, {}, Doubt.LIKENESS),
        # IoU of the boxes 60 / 140 and 80 / 120.
        ({"located": [[4, 0, 10, 10]]}, {}, Doubt.BOX),
        ({"located": [[2, 0, 10, 10]]}, {}, Doubt.NONE),
        ({"areas": [199]}, {}, Doubt.NONE),
        ({"areas": [201]}, {}, Doubt.AREA),
        ({"areas": [49]}, {}, Doubt.AREA),
        # Half the root of the area in the first frame, a quarter of it more in each further one.
        ({"boxes": [[4.9, 0, 10, 10]], "located": [[4.9, 0, 10, 10]]}, {}, Doubt.NONE),
        ({"boxes": [[5.1, 0, 10, 10]], "located": [[5.1, 0, 10, 10]]}, {}, Doubt.DISTANCE),
        ({"boxes": [[7.4, 0, 10, 10]], "located": [[7.4, 0, 10, 10]]}, {"since": [1]}, Doubt.NONE),
        ({"boxes": [[8, 0, 10, 10]], "located": [[8, 0, 10, 10]]}, {"velocities": [[8.0, 0]]}, Doubt.NONE),
        ({}, {"velocities": [[8.0, 0]]}, Doubt.DISTANCE),
        ({"on_detections": [0.5]}, {}, Doubt.NONE),
        ({"on_detections": [0.51]}, {}, Doubt.ON_DETECTION),
    ],
)
def test_each_rule_by_itself(change, row, doubt):
    prediction = replace(sound(), **{name: np.array(value) for name, value in change.items()})
    assert judged(prediction, rows(1, **row)) == [doubt]


def test_the_first_reason_counts():
    prediction = replace(sound(), scores=np.array([0.1]), likeness=np.array([0.1]), on_detections=np.array([1.0]))
    assert judged(prediction, rows(1)) == [Doubt.SCORE]


def test_of_two_on_one_object_the_one_more_alike_and_longer_known_is_believed():
    shares = np.array([[1, 0.2], [0.9, 1]])
    pair = replace(sound(2), on_predictions=shares)
    assert judged(pair, rows(2)) == [Doubt.NONE, Doubt.ON_PREDICTION]
    more_alike = replace(pair, likeness=np.array([0.8, 0.9]))
    assert judged(more_alike, rows(2)) == [Doubt.ON_PREDICTION, Doubt.NONE]
    assert judged(pair, rows(2, undetected=[2, 1])) == [Doubt.ON_PREDICTION, Doubt.NONE]
    apart = replace(pair, on_predictions=np.array([[1, 0.5], [0.5, 1]]))
    assert judged(apart, rows(2)) == [Doubt.NONE, Doubt.NONE]


def test_what_is_not_believed_itself_takes_no_one_s_place():
    pair = replace(sound(2), on_predictions=np.ones((2, 2)))
    assert judged(replace(pair, likeness=np.array([0.1, 0.8])), rows(2)) == [Doubt.LIKENESS, Doubt.NONE]
    # A detected track shows its detection, not its prediction.
    assert judged(pair, rows(2), undetected=[False, True])[1] == Doubt.NONE


def test_no_tracks():
    assert judged(sound(0).__class__(*(value[:0] for value in sound(1).__dict__.values())), rows(0)) == []
