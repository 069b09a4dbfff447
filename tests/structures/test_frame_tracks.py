from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from vis_pipeline.structures.tracks import FrameTracks, MaskState

HEIGHT, WIDTH = 6, 9


def windowed(frames: NDArray[np.bool_], states: list[MaskState] | None = None) -> FrameTracks:
    """Tracks with these masks [K, H, W], each window as small as it can be."""
    corners, windows, boxes = [], [], []
    for frame in frames:
        rows, columns = np.nonzero(frame)
        top, left = (rows.min(), columns.min()) if len(rows) else (0, 0)
        bottom, right = (rows.max() + 1, columns.max() + 1) if len(rows) else (0, 0)
        corners.append((left, top))
        boxes.append((left, top, right, bottom))
        windows.append(frame[top:bottom, left:right])
    count = len(frames)
    return FrameTracks(
        index=3,
        time=0.5,
        size=(HEIGHT, WIDTH),
        ids=np.arange(count, dtype=np.int64) * 2,
        boxes=np.array(boxes, dtype=np.float32).reshape(-1, 4),
        scores=np.linspace(0.2, 0.9, count, dtype=np.float32),
        labels=np.arange(count, dtype=np.int64) + 5,
        states=np.array(states or [MaskState.DETECTED] * count, dtype=np.int8),
        corners=np.array(corners, dtype=np.int64).reshape(-1, 2),
        masks=tuple(windows),
    )


def three() -> FrameTracks:
    frames = np.zeros((3, HEIGHT, WIDTH), dtype=bool)
    frames[0, 1:3, 2:5] = True
    frames[2, 4:6, 7:9] = True
    return windowed(frames, [MaskState.DETECTED, MaskState.HIDDEN, MaskState.PREDICTED])


@given(hnp.arrays(bool, st.tuples(st.integers(0, 4), st.just(HEIGHT), st.just(WIDTH))))
def test_windows_hold_the_whole_mask(frames: NDArray[np.bool_]) -> None:
    np.testing.assert_array_equal(windowed(frames).dense(), frames)


def test_a_frame_without_tracks() -> None:
    nothing = windowed(np.zeros((0, HEIGHT, WIDTH), dtype=bool))
    assert len(nothing) == len(nothing.shown()) == 0
    assert nothing.dense().shape == (0, HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"boxes": np.zeros((2, 4), np.float32)}, r"FrameTracks.boxes is float32 \(2, 4\), expected float32 \(3, 4\)"),
        ({"scores": np.zeros(3)}, "FrameTracks.scores is float64"),
        ({"corners": np.zeros((3, 4), np.int64)}, "FrameTracks.corners"),
        ({"masks": ()}, "has 0 windows, expected 3"),
        ({"masks": (np.ones((2, 2), np.uint8),) * 3}, "that of id 0 is uint8"),
        ({"ids": np.array([4, 1, 4])}, r"an id twice: \[4, 1, 4\]"),
        ({"corners": np.array([[2, 1], [0, 0], [8, 4]])}, "that of id 4 is not inside the frame"),
        ({"corners": np.array([[2, 1], [0, 0], [7, -1]])}, "that of id 4 is not inside the frame"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(three(), **changes)


def test_some_of_the_tracks() -> None:
    tracks = three()
    turned = tracks.select(np.array([2, 0]))
    assert turned.ids.tolist() == [4, 0]
    np.testing.assert_array_equal(turned.dense(), tracks.dense()[[2, 0]])
    assert tracks.shown().ids.tolist() == [0, 4]
    assert (turned.index, turned.time, turned.size) == (3, 0.5, (HEIGHT, WIDTH))


@pytest.mark.parametrize("tracks", [three(), windowed(np.zeros((0, HEIGHT, WIDTH), dtype=bool))], ids=["three", "none"])
def test_supervision_takes_what_is_shown(tracks: FrameTracks) -> None:
    supervision = pytest.importorskip("supervision", reason="the supervision extra is not installed")
    detections = tracks.to_supervision()
    assert isinstance(detections, supervision.Detections)
    shown = tracks.shown()
    np.testing.assert_array_equal(detections.xyxy, shown.boxes)
    np.testing.assert_array_equal(detections.mask, shown.dense())
    np.testing.assert_array_equal(detections.confidence, shown.scores)
    np.testing.assert_array_equal(detections.class_id, shown.labels)
    np.testing.assert_array_equal(detections.tracker_id, shown.ids)
    assert detections.data["state"].tolist() == ["detected", "predicted"][: len(shown)]
    # The package's own indexing holds.
    assert detections[detections.confidence > 0.5].tracker_id.tolist() == shown.ids[shown.scores > 0.5].tolist()
