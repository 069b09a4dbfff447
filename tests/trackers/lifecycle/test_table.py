"""What a frame changes in what is known of the tracks, worked out by hand."""

import numpy as np
import pytest
from track_rows import rows

from vis_pipeline.trackers.lifecycle.table import detected, no_tracks, undetected

BOX = np.array([[6.0, 0, 10, 10]])


def after_detection(score=0.6, **columns):
    table = rows(2, **columns)
    return detected(table, np.array([1]), BOX, np.array([80]), np.array([score]))


def test_a_detection_resets_the_counters_of_its_track_alone():
    table = after_detection(undetected=[2, 2], since=[4, 4], hidden=[1, 1], lost=[True, True], detections=[4, 4])
    assert table.detections.tolist() == [4, 5]
    assert table.undetected.tolist() == [2, 0]
    assert table.since.tolist() == [4, 0]
    assert table.hidden.tolist() == [1, 0]
    assert table.lost.tolist() == [True, False]
    assert table.boxes.tolist() == [[0, 0, 10, 10], [6, 0, 10, 10]]
    assert table.areas.tolist() == [100, 80]


def test_the_velocity_is_a_frame_s_and_follows_by_half():
    assert after_detection(detections=[1, 1]).velocities.tolist() == [[0, 0], [6, 0]]
    assert after_detection(detections=[1, 1], since=[0, 2]).velocities.tolist() == [[0, 0], [2, 0]]
    assert after_detection(velocities=[[1.0, 1], [2, 4]]).velocities.tolist() == [[1, 1], [4, 2]]


def test_the_usual_score_starts_at_the_first_and_follows_slowly():
    fresh = after_detection(usual_scores=[np.nan, np.nan]).usual_scores
    assert np.isnan(fresh[0]) and fresh[1] == pytest.approx(0.6)
    assert after_detection(usual_scores=[0.9, 0.9]).usual_scores.tolist() == pytest.approx([0.9, 0.81])
    assert after_detection(score=np.nan, usual_scores=[0.9, 0.9]).usual_scores.tolist() == [0.9, 0.9]


def test_without_a_detection_the_counters_rise():
    before = rows(3, undetected=[0, 3, 5], since=[0, 7, 5], hidden=[0, 3, 2])
    table = undetected(before, np.array([0, 1]), np.array([True, False]))
    assert table.undetected.tolist() == [1, 4, 5]
    assert table.since.tolist() == [1, 8, 5]
    assert before.later(2).since.tolist() == [2, 9, 7]
    assert table.hidden.tolist() == [0, 4, 2]


def test_motion_fades():
    table = rows(2, since=[0, 2], velocities=[[4.0, 0], [4, 8]])
    assert table.displacements(0.5).tolist() == [[4, 0], [4 + 2 + 1, 8 + 4 + 2]]
    assert table.displacements(0.0).tolist() == [[4, 0], [4, 8]]
    assert table.displacements(1.0).tolist() == [[4, 0], [12, 24]]
    assert table.moved_boxes(0.5).tolist() == [[4, 0, 10, 10], [7, 14, 10, 10]]


def test_rows_are_chosen_and_joined():
    table = rows(2, areas=[1.0, 2.0]).followed_by(rows(1, areas=[3.0]))
    assert table.areas.tolist() == [1, 2, 3]
    assert table.select(np.array([2, 0])).areas.tolist() == [3, 1]
    assert len(no_tracks()) == 0
    assert no_tracks().followed_by(table).areas.tolist() == [1, 2, 3]
