"""What of a finished track is reported."""

import pytest

from vis_pipeline.trackers.lifecycle.history import TrackHistory, believed_in_the_end, reported_masks


def track(pattern, agreement=0.9):
    """A letter a frame: D a detection, P a prediction, dot nothing."""
    history = TrackHistory(0)
    for frame, letter in enumerate(pattern):
        if letter == "D":
            history.note_detection(frame, label=1, score=0.8, agreement=agreement)
        elif letter == "P":
            history.predicted_scores[frame] = 0.5
        if letter != ".":
            history.masks[frame] = {"size": [1, 1], "counts": f"{frame}"}
    return history


@pytest.mark.parametrize(
    ("pattern", "agreement", "believed"),
    [
        ("DPPD", 0.9, [1, 2]),
        ("DPPD", 0.1, []),
        ("DP.PD", 0.9, [1, 3]),
        ("DP..D", 0.9, [1]),
        ("DPP", 0.9, [1, 2]),
        ("DPP", 0.1, [1, 2]),
        ("DPP.", 0.9, []),
        ("DPPDP.", 0.9, [1, 2]),
        ("D..P", 0.9, [3]),
        ("DD", 0.9, []),
    ],
)
def test_bridges_that_the_next_detection_confirms_and_open_ends_are_believed(pattern, agreement, believed):
    assert believed_in_the_end(track(pattern, agreement), len(pattern) - 1, bridge_iou=0.3) == believed


def test_masks_of_other_frames_are_left_out():
    history = track("DPPD.")
    counts = [None if rle is None else rle["counts"] for rle in reported_masks(history, [2], 6)]
    assert counts == ["0", None, "2", "3", None, None]


def test_of_two_tracks_that_are_one_the_later_s_frames_stand():
    before, now = track("DP.PD.."), TrackHistory(1)
    for frame, score in ((3, 0.5), (6, 0.25)):
        now.note_detection(frame, label=2, score=score, agreement=0.0)
        now.masks[frame] = {"size": [1, 1], "counts": f"later {frame}"}
    now.predicted_scores[4] = 0.1
    now.masks[4] = {"size": [1, 1], "counts": "later 4"}
    before.go_on_with(now)
    assert {frame: mask["counts"] for frame, mask in before.masks.items()} == {
        0: "0",
        1: "1",
        3: "later 3",
        4: "later 4",
        6: "later 6",
    }
    assert list(before.masks) == [0, 1, 3, 4, 6]
    assert (before.labels, before.predicted_scores) == ({0: 1, 3: 2, 6: 2}, {1: 0.5, 4: 0.1})
    assert before.votes == {1: 0.8, 2: 0.75}
    assert not now.masks and not now.votes and not now.predicted_scores
