from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vis_pipeline import masks
from vis_pipeline.trackers.lifecycle.settings import MissingScore, TrackingSettings
from vis_pipeline.trackers.post.duplicates import without_duplicates
from vis_pipeline.trackers.post.scores import track_score, vote_class


def test_the_vote_is_weighted_by_score() -> None:
    assert vote_class({3: 0.4, 7: 0.9}) == 7
    assert vote_class({3: 1.0, 7: 0.9}) == 3
    assert vote_class({9: 0.5, 4: 0.5}) == 4
    with pytest.raises(ValueError, match="no class"):
        vote_class({})


@pytest.mark.parametrize(
    ("missing", "expected"), [(MissingScore.IGNORED, 0.8), (MissingScore.ZERO, 0.4), (MissingScore.TRACKER, 0.65)]
)
def test_what_missing_frames_count_as(missing: MissingScore, expected: float) -> None:
    assert track_score(np.array([0.9, 0.7]), np.array([0.6, 0.4]), missing, prior=0) == pytest.approx(expected)


def test_many_detections_are_surer_than_few() -> None:
    few, many = np.full(2, 0.8), np.full(18, 0.8)
    assert track_score(few, few[:0], MissingScore.IGNORED, prior=2) == pytest.approx(0.4)
    assert track_score(many, few[:0], MissingScore.IGNORED, prior=2) == pytest.approx(0.72)


def video(frames: np.ndarray, hide_empty: bool = True) -> list[masks.Rle | None]:
    encoded = masks.encode(frames)
    return [rle if frame.any() or not hide_empty else None for rle, frame in zip(encoded, frames, strict=True)]


clips = hnp.arrays(np.bool_, (3, 4, 5))
RULES = TrackingSettings(merge_iou=0.5, merge_share=0.8, max_tracks=10)


@given(clips, clips, st.sampled_from([0.2, 0.5, 0.9]), st.sampled_from([0.3, 0.8]))
def test_a_duplicate_is_told_by_the_pixels_of_the_whole_video(
    first: np.ndarray, second: np.ndarray, merge_iou: float, merge_share: float
) -> None:
    union, both = (first | second).sum(), (first & second).sum()
    same = (union and both / union >= merge_iou) or (second.any() and both / second.sum() >= merge_share)
    tracks = [video(first), video(second, hide_empty=False)]
    rules = TrackingSettings(merge_iou=merge_iou, merge_share=merge_share)
    assert without_duplicates(tracks, [1, 1], [0.9, 0.5], rules) == ([0] if same else [0, 1])


def test_of_two_tracks_on_one_object_the_better_scored_stays_unless_the_classes_differ() -> None:
    here, there = np.zeros((2, 4, 5), dtype=bool), np.zeros((2, 4, 5), dtype=bool)
    here[:, :2], there[:, 2:] = True, True
    tracks = [video(here), video(here), video(there), video(here)]
    assert without_duplicates(tracks, [1, 1, 1, 2], [0.5, 0.9, 0.7, 0.1], RULES) == [1, 2, 3]
    two = replace(RULES, max_tracks=2)
    assert without_duplicates(tracks, [1, 1, 1, 2], [0.5, 0.9, 0.7, 0.1], two) == [1, 2]


def test_a_part_of_a_better_track_goes_and_the_whole_of_a_worse_one_stays() -> None:
    whole, part = np.zeros((2, 4, 5), dtype=bool), np.zeros((2, 4, 5), dtype=bool)
    whole[:], part[0, :1] = True, True
    tracks = [video(whole), video(part)]
    assert without_duplicates(tracks, [1, 1], [0.9, 0.5], RULES) == [0]
    assert without_duplicates(tracks, [1, 1], [0.5, 0.9], RULES) == [1, 0]


def test_no_tracks_have_no_duplicates() -> None:
    assert without_duplicates([], [], [], RULES) == []
