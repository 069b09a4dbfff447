"""Frames are changed, and their objects' boxes with them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_pipeline.training.redetector.looks import (
    Look,
    changed_boxes,
    changed_image,
    draw_look,
    motion_kernel,
    moved_boxes,
)
from vis_pipeline.training.redetector.settings import LookSettings

HEIGHT, WIDTH = 60, 90


def square(x: int, y: int, width: int, height: int) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    image[y : y + height, x : x + width] = 220
    return image


@settings(max_examples=50, deadline=None)
@given(
    st.integers(20, 50), st.integers(15, 30), st.integers(10, 20), st.booleans(), st.floats(0.7, 1.4), st.floats(0, 1)
)
def test_the_box_is_where_the_object_is(x: int, y: int, side: int, flip: bool, scale: float, centre: float) -> None:
    look = Look(flip=flip, scale=scale, centre=(centre, 1 - centre))
    boxes, _ = changed_boxes(np.array([[x, y, x + side, y + side]], float), (HEIGHT, WIDTH), look)
    bright = changed_image(square(x, y, side, side), look)[..., 0] > 120
    rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
    found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    np.testing.assert_allclose(boxes[0], found, atol=1.0)


def test_what_leaves_the_frame_is_cut_and_then_gone() -> None:
    boxes = np.array([[0.0, 0, 20, 20], [70, 40, 90, 60], [40, 30, 50, 36]])
    moved, shown = changed_boxes(boxes, (HEIGHT, WIDTH), Look(scale=1.4, centre=(0.0, 0.0)))
    np.testing.assert_allclose(moved, [[0, 0, 28, 28], [90, 56, 90, 60], [56, 42, 70, 50.4]])
    assert shown.tolist() == [True, False, True]
    _, shown = changed_boxes(boxes, (HEIGHT, WIDTH), Look(scale=0.5))
    assert shown.tolist() == [True, True, False]  # three pixels high


def test_light_colour_and_motion() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    assert (changed_image(image, Look()) == image).all()
    grey = changed_image(image, Look(grey=True))
    assert (grey == grey[..., :1]).all()
    lighter = changed_image(image, Look(gamma=0.5))
    expected = np.rint(255 * np.sqrt(image / 255))
    assert np.abs(lighter - expected).max() <= 1
    line = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    line[:, 45] = 255
    blurred = changed_image(line, Look(blur=(9, 0.0)))[30, :, 0]
    assert 7 <= np.count_nonzero(blurred) <= 11 and blurred.max() < 80
    along = changed_image(line, Look(blur=(9, np.pi / 2)))[30, :, 0]
    assert along[45] > 120


@pytest.mark.parametrize("length", [2, 3, 8, 9])
@pytest.mark.parametrize("angle", [0.0, 0.7, 1.6, 3.0])
def test_motion_keeps_the_light_and_the_place(length: int, angle: float) -> None:
    kernel = motion_kernel(length, angle)
    assert kernel.sum() == pytest.approx(1)
    offsets = np.arange(len(kernel)) - len(kernel) // 2
    assert abs((kernel.sum(0) * offsets).sum()) < 0.3 and abs((kernel.sum(1) * offsets).sum()) < 0.3


def test_looks_are_drawn_as_the_settings_say() -> None:
    rng = np.random.default_rng(1)
    chosen = LookSettings(plain=0.25, grey=0.5, blur=1.0, longest_blur=7, scale=(0.8, 1.1), gamma=1.5)
    looks = [draw_look(True, chosen, rng) for _ in range(400)]
    plain = [look for look in looks if look == Look(flip=True)]
    others = [look for look in looks if look != Look(flip=True)]
    assert 60 <= len(plain) <= 140
    assert all(look.flip and 0.8 <= look.scale <= 1.1 and 1 / 1.5 <= look.gamma <= 1.5 for look in others)
    assert {look.blur[0] for look in others} == set(range(3, 8))
    assert 0.35 < np.mean([look.grey for look in others]) < 0.65
    unmoved = draw_look(False, replace(chosen, plain=0, blur=0, scale=(1, 1)), rng)
    assert unmoved.blur[0] == 1 and unmoved.scale == 1


def test_boxes_move_no_farther_than_they_may() -> None:
    boxes = np.tile([[30.0, 20.0, 50.0, 32.0]], (200, 1))
    moved = moved_boxes(boxes, 0.25, (HEIGHT, WIDTH), np.random.default_rng(2))
    sides, centres = moved[:, 2:] - moved[:, :2], (moved[:, :2] + moved[:, 2:]) / 2
    assert (np.abs(np.log(sides / [20, 12])) <= 0.2501).all()
    assert (np.abs(centres - [40, 26]) <= np.array([5, 3]) + 1e-9).all()
    assert np.abs(centres - [40, 26]).max() > 3
    at_the_edge = moved_boxes(boxes * 0 + [0, 0, 90, 60], 0.25, (HEIGHT, WIDTH), np.random.default_rng(2))
    assert (at_the_edge >= 0).all() and (at_the_edge <= [90, 60, 90, 60]).all()
