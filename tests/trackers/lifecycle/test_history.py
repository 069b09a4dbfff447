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
