"""Who chooses first, which detections start a track, which tracks are lost and which end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from track_rows import rows

from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.birth_and_death import Rank, Refusal, births, lost, ranks, survivors


@pytest.mark.parametrize(
    ("row", "rank"),
    [
        ({}, Rank.OWNER),
        ({"detections": [3], "undetected": [3]}, Rank.OWNER),
        ({"detections": [3], "undetected": [4]}, Rank.CONFIRMED),
        ({"detections": [2]}, Rank.UNCONFIRMED),
        ({"detections": [2], "undetected": [5]}, Rank.UNCONFIRMED),
        ({"lost": [True]}, Rank.LOST),
    ],
)
def test_who_chooses_first(row, rank):
    assert ranks(rows(1, **row), TrackingSettings(owner_detections=3, owner_undetected=4)).tolist() == [rank]


def test_a_track_is_lost_once_it_was_hidden_for_longer_than_allowed_and_in_other_shots():
    table = rows(4, hidden=[2, 3, 0, 0], shots=[1, 1, 0, 2])
    assert lost(table, 1, TrackingSettings(max_hidden=2)).tolist() == [False, True, True, True]


def test_a_track_ends_once_it_was_undetected_for_longer_than_allowed():
    assert survivors(rows(2, undetected=[4, 5]), TrackingSettings(max_undetected=4)).tolist() == [True, False]


def test_reasons_against_a_birth():
    born, refused = births(
        np.array([0, 1, 2, 3, 4, 5]),
        np.array([0.9, 0.8, 0.1, 0.7, 0.6, 0.5]),
        np.array([10, 0, 10, 10, 10, 10]),
        np.array([False, False, False, True, False, False]),
        np.array([[row == column or {row, column} == {0, 4} for column in range(6)] for row in range(6)]),
        1,
        TrackingSettings(birth_score=0.3),
    )
    assert born.tolist() == [0]
    assert refused.tolist() == [
        Refusal.NONE, Refusal.EMPTY, Refusal.WEAK, Refusal.ON_TRACK, Refusal.ON_BIRTH, Refusal.FULL,
    ]  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9]), st.booleans(), st.booleans()), max_size=7),
    st.integers(0, 4),
    st.integers(0, 2**21 - 1),
)
def test_births_are_those_a_plain_loop_finds(detections, room, bits):
    count = len(detections)
    same = np.eye(count, dtype=bool)
    for row, column in np.ndindex(same.shape):
        same[row, column] |= bool(bits >> (3 * row + column) & 1)
    scores = np.array([score for score, _, _ in detections])
    free = [index for index, (_, is_free, _) in enumerate(detections) if is_free]
    on_tracks = np.array([on_track for _, _, on_track in detections], dtype=bool)
    born, refused = births(
        np.array(free, dtype=np.int64), scores, np.full(count, 9), on_tracks, same, room, TrackingSettings()
    )
    expected = []
    for index in sorted(free, key=lambda index: (-scores[index], index)):
        strong = scores[index] >= TrackingSettings().birth_score
        taken = on_tracks[index] or any(same[index][other] for other in expected)
        if strong and not taken and len(expected) < room:
            expected.append(index)
    assert born.tolist() == expected
    assert [index for index, reason in zip(free, refused, strict=True) if reason == Refusal.NONE] == sorted(expected)
