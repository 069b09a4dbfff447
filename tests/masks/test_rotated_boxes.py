"""Min-max, MBR and Opt against shapes whose best box is known, and against slow and literal oracles."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vis_pipeline.bench.boxes import box_corners, filled
from vis_pipeline.errors import DataError
from vis_pipeline.masks.quadrilaterals import polygon_area, quadrilateral_iou
from vis_pipeline.masks.rotated_boxes import (
    covered,
    minimum_area_box,
    minmax_box,
    optimal_box,
    optimal_boxes,
    weighted_overlap,
)

SIZE = (90, 120)
masks = hnp.arrays(np.bool_, st.tuples(st.integers(1, 6), st.integers(1, 7))).filter(np.any)


def l_shape() -> np.ndarray:
    mask = np.zeros(SIZE, dtype=bool)
    mask[20:70, 20:40] = True
    mask[64:70, 20:90] = True
    return mask


def inside(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Which points [..., 2] lie in a rectangle, by their coordinates along its sides."""
    across, down = box[1] - box[0], box[3] - box[0]
    along = (points - box[0]) @ np.stack([across / (across @ across), down / (down @ down)], axis=1)
    return ((along >= 0) & (along <= 1)).all(axis=-1)


def sampled(mask: np.ndarray, box: np.ndarray, fine: int) -> float:
    """The covered area by counting fine x fine points in each pixel."""
    offsets = (np.arange(fine) + 0.5) / fine
    rows, columns = np.nonzero(mask)
    x, y = columns[:, None, None] + offsets, rows[:, None, None] + offsets[:, None]
    return inside(np.stack(np.broadcast_arrays(x, y), axis=-1), box).sum() / fine**2


@given(masks, st.tuples(*[st.floats(-3, 9)] * 2), st.tuples(*[st.floats(0.1, 9)] * 2), st.floats(-4, 4))
@settings(max_examples=60, deadline=None)
def test_the_covered_area_is_that_of_counted_points(mask, centre, sides, angle) -> None:
    box = box_corners(*centre, *sides, angle)
    assert covered(mask, box) == pytest.approx(sampled(mask, box, 40), abs=0.05 + 0.02 * sum(sides))


@given(masks)
@settings(deadline=None)
def test_an_upright_box_of_whole_pixels_covers_their_number(mask) -> None:
    height, width = mask.shape
    for left, top in itertools.product(range(-1, width), range(-1, height)):
        box = box_corners((left + width) / 2, (top + height) / 2, width - left, height - top, 0.0)
        assert covered(mask, box) == pytest.approx(mask[max(top, 0) :, max(left, 0) :].sum(), abs=1e-9)


@given(masks)
@settings(deadline=None)
def test_the_minimum_area_box_holds_all_pixels_and_is_the_smallest_of_many(mask) -> None:
    box = minimum_area_box(mask)
    assert covered(mask, box) == pytest.approx(mask.sum(), abs=1e-6)
    rows, columns = np.nonzero(mask)
    points = np.concatenate([np.stack([columns + x, rows + y], axis=1) for x in (0, 1) for y in (0, 1)])
    for angle in np.linspace(0, np.pi / 2, 91):
        turned = points @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        assert polygon_area(box) <= np.ptp(turned, axis=0).prod() + 1e-9


@given(masks)
@settings(max_examples=40, deadline=None)
def test_the_optimal_box_is_no_worse_than_the_others(mask) -> None:
    best = weighted_overlap(mask, optimal_box(mask))
    for other in (minmax_box(mask), minimum_area_box(mask)):
        assert best >= weighted_overlap(mask, other) - 1e-9


def test_an_upright_rectangle_gives_itself_back() -> None:
    mask = np.zeros(SIZE, dtype=bool)
    mask[10:40, 30:90] = True
    expected = box_corners(60, 25, 60, 30, 0.0)
    for way in (minmax_box, minimum_area_box, optimal_box):
        assert quadrilateral_iou(way(mask), expected) > 0.9999


@pytest.mark.parametrize("angle", [0.2, 0.7, 1.3, 2.5])
def test_a_turned_rectangle_gives_itself_back(angle) -> None:
    box = box_corners(60, 45, 64, 30, angle)
    mask = filled("rectangle", box, SIZE)
    # Pixels are cut like stairs, and the lighter background inside weighs the farther out the sides settle.
    assert quadrilateral_iou(optimal_box(mask), box) > 0.97
    assert quadrilateral_iou(optimal_box(mask, 1.0), box) > 0.99
    assert quadrilateral_iou(minimum_area_box(mask), box) > 0.93
    assert quadrilateral_iou(minmax_box(mask), box) < 0.75


def test_the_optimal_box_of_an_ellipse_has_its_axes() -> None:
    """Inside an axis box of s times its size an ellipse's overlap is computed here; the best s is found by trying."""
    box = box_corners(60, 45, 80, 40, 0.5)
    found = optimal_box(filled("ellipse", box, SIZE))
    across = found[1] - found[0]
    assert np.sin(2 * (np.arctan2(across[1], across[0]) - 0.5)) == pytest.approx(0, abs=0.05)
    fine = (np.arange(600) + 0.5) / 300 - 1
    x, y = np.meshgrid(fine, fine)
    area, scales = np.pi, np.linspace(0.7, 1, 31)
    values = []
    for scale in scales:
        common = ((x**2 + y**2 <= 1) & (abs(x) <= scale) & (abs(y) <= scale)).mean() * 4
        values.append(common / (area + 0.25 * (4 * scale**2 - common)))
    expected = 80 * 40 * scales[int(np.argmax(values))] ** 2
    assert polygon_area(found) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("weight", [0.25, 1.0])
def test_no_rectangle_of_a_dense_grid_is_better(weight) -> None:
    mask = np.zeros((24, 30), dtype=bool)
    mask[4:18, 5:12] = True
    mask[15:18, 5:26] = True
    best = weighted_overlap(mask, optimal_box(mask, weight), weight)
    grid = itertools.product(
        np.arange(6, 17, 2), np.arange(8, 17, 2), np.arange(5, 25, 3), np.arange(5, 25, 3), np.arange(0, 1.57, 0.2)
    )
    dense = max(weighted_overlap(mask, box_corners(*place), weight) for place in grid)
    assert best >= dense


def test_opt_leaves_out_a_thin_limb_that_the_others_take_in() -> None:
    mask = l_shape()
    body = box_corners(30, 45, 20, 50, 0.0)
    overlaps = [quadrilateral_iou(way(mask), body) for way in (minmax_box, minimum_area_box, optimal_box)]
    values = [weighted_overlap(mask, way(mask), 1.0) for way in (minmax_box, minimum_area_box)]
    assert weighted_overlap(mask, optimal_box(mask, 1.0), 1.0) > max(values) + 0.2
    assert overlaps[2] > max(overlaps[:2]) + 0.1


def test_a_box_moves_with_its_mask_and_not_with_the_picture() -> None:
    small = filled("ellipse", box_corners(30, 30, 30, 16, 1.0), (60, 60))
    large = np.zeros((200, 300), dtype=bool)
    large[50:110, 100:160] = small
    for way in (minmax_box, minimum_area_box, optimal_box):
        np.testing.assert_allclose(way(large), way(small) + np.array([100, 50]), atol=1e-9)
    np.testing.assert_array_equal(optimal_boxes([small, large], threads=2), [optimal_box(small), optimal_box(large)])


def test_a_single_pixel_is_its_own_box_and_none_has_no_box() -> None:
    mask = np.zeros((3, 4), dtype=bool)
    for way in (minmax_box, minimum_area_box, optimal_box):
        with pytest.raises(DataError, match="without pixels"):
            way(mask)
    mask[1, 2] = True
    for way in (minmax_box, minimum_area_box, optimal_box):
        assert quadrilateral_iou(way(mask), box_corners(2.5, 1.5, 1, 1, 0.0)) > 0.999
