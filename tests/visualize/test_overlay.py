import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.visualize.overlay import Label, draw_tracks, enlarged

GREY = 120


def _rle(height, width, top, left, h, w):
    mask = np.zeros((1, height, width), bool)
    mask[0, top : top + h, left : left + w] = True
    return masks.encode(mask)[0]


def _frame(height=192, width=320):
    return np.full((height, width, 3), GREY, np.uint8)


def test_the_input_stays_as_it_is_and_no_tracks_change_nothing():
    frame = _frame()
    drawn = draw_tracks(frame, [], [], np.zeros((0, 3), np.uint8))
    np.testing.assert_array_equal(drawn, frame)
    draw_tracks(frame, [_rle(192, 320, 50, 50, 60, 60)], [Label("1 a", "1")], np.array([[0, 0, 255]], np.uint8))
    assert (frame == GREY).all()


def test_absent_and_empty_masks_are_not_drawn():
    empty = masks.encode(np.zeros((1, 192, 320), bool))[0]
    labels = [Label("1 a", "1"), Label("2 b", "2")]
    drawn = draw_tracks(_frame(), [None, empty], labels, np.zeros((2, 3), np.uint8))
    assert (drawn == GREY).all()


def test_a_mask_tints_its_inside_and_outlines_its_edge():
    drawn = draw_tracks(
        _frame(), [_rle(192, 320, 60, 80, 80, 100)], [Label("1 a", "1")], np.array([[255, 0, 0]], np.uint8)
    )
    inside = drawn[100, 130].astype(int)
    assert inside[0] > GREY + 40 and inside[1] < GREY - 30 and inside[2] < GREY - 30
    assert drawn[100, 80, 0] > inside[0] + 30
    assert (drawn[150:, :70] == GREY).all()


def test_the_first_track_lies_on_top():
    both = [_rle(192, 320, 60, 80, 80, 100)] * 2
    drawn = draw_tracks(
        _frame(), both, [Label("1", "1"), Label("2", "2")], np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
    )
    assert drawn[100, 130, 0] > drawn[100, 130, 2]


@pytest.mark.parametrize("factor", [2, 3])
def test_masks_follow_an_enlarged_frame(factor):
    rle = _rle(96, 160, 30, 40, 40, 50)
    large = np.full((96 * factor, 160 * factor, 3), GREY, np.uint8)
    drawn = draw_tracks(large, [rle], [Label("1", "1")], np.array([[0, 255, 0]], np.uint8))
    changed = drawn[75 * factor :] != GREY
    assert not changed.any()
    below_label = (drawn[50 * factor] != GREY).any(axis=1).nonzero()[0]
    assert abs(below_label[0] - 40 * factor) <= 3 and abs(below_label[-1] - (90 * factor - 1)) <= 3


def test_masks_follow_a_shrunken_frame_down_to_one_pixel():
    rle = _rle(720, 1280, 719, 1279, 1, 1)
    drawn = draw_tracks(_frame(90, 160), [rle], [Label("1", "1")], np.array([[0, 255, 0]], np.uint8))
    assert drawn.shape == (90, 160, 3)


def test_a_hundred_tracks_and_edges_do_not_break_the_drawing():
    rng = np.random.default_rng(3)
    boxes = rng.integers(0, 180, (100, 2))
    rles = [_rle(192, 320, y, x, 25, 30) for y, x in boxes]
    labels = [Label(f"{i} something long 0.50", str(i)) for i in range(100)]
    drawn = draw_tracks(_frame(), rles, labels, rng.integers(0, 255, (100, 3)).astype(np.uint8), "frame 1")
    assert drawn.shape == (192, 320, 3) and drawn.dtype == np.uint8


@pytest.mark.parametrize(
    ("size", "expected"), [((192, 320), (384, 640)), ((360, 640), (360, 640)), ((100, 50), (800, 400))]
)
def test_small_frames_grow_by_a_whole_factor(size, expected):
    assert enlarged(_frame(*size)).shape[:2] == expected
