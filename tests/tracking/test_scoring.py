import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from vis_pipeline import masks
from vis_pipeline.tracking.scoring import track_score, video_iou, vote_class, without_duplicates
from vis_pipeline.tracking.settings import MissingScore


def test_the_vote_is_weighted_by_score() -> None:
    assert vote_class(np.array([3, 3, 7]), np.array([0.2, 0.2, 0.9])) == 7
    assert vote_class(np.array([3, 3, 7]), np.array([0.5, 0.5, 0.9])) == 3
    assert vote_class(np.array([9, 4]), np.array([0.5, 0.5])) == 4
    with pytest.raises(ValueError, match="no class"):
        vote_class(np.array([], dtype=np.int64), np.array([]))


@pytest.mark.parametrize(
    ("missing", "expected"), [(MissingScore.IGNORED, 0.8), (MissingScore.ZERO, 0.4), (MissingScore.TRACKER, 0.65)]
)
def test_what_missing_frames_count_as(missing: MissingScore, expected: float) -> None:
    assert track_score(np.array([0.9, 0.7]), np.array([0.6, 0.4]), missing) == pytest.approx(expected)


def video(frames: np.ndarray, hide_empty: bool = True) -> list[masks.Rle | None]:
    encoded = masks.encode(frames)
    return [rle if frame.any() or not hide_empty else None for rle, frame in zip(encoded, frames, strict=True)]


clips = hnp.arrays(np.bool_, (3, 4, 5))


@given(clips, clips)
def test_video_iou_is_that_of_the_stacked_masks(first: np.ndarray, second: np.ndarray) -> None:
    union = (first | second).sum()
    expected = (first & second).sum() / union if union else 0.0
    assert video_iou(video(first), video(second)) == pytest.approx(expected)
    assert video_iou(video(first, hide_empty=False), video(second)) == pytest.approx(expected)


def test_of_two_tracks_on_one_object_the_better_scored_stays_unless_the_classes_differ() -> None:
    here, there = np.zeros((2, 4, 5), dtype=bool), np.zeros((2, 4, 5), dtype=bool)
    here[:, :2], there[:, 2:] = True, True
    tracks = [video(here), video(here), video(there), video(here)]
    assert without_duplicates(tracks, [1, 1, 1, 2], [0.5, 0.9, 0.7, 0.1], 0.5, 10) == [1, 2, 3]
    assert without_duplicates(tracks, [1, 1, 1, 2], [0.5, 0.9, 0.7, 0.1], 0.5, 2) == [1, 2]
