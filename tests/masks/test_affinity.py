"""Measures of how well two masks, boxes or colours fit, against literal counting."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vis_pipeline.masks.affinity import (
    SLICE_PIXELS,
    box_giou,
    common_by_products,
    common_in_windows,
    mask_areas,
    mask_iou,
    share_inside,
    shifted,
)
from vis_pipeline.trackers.lifecycle import appearance
from vis_pipeline.trackers.lifecycle.appearance import (
    BINS,
    blended,
    colour_histograms,
    counted_by_sums,
    counted_in_windows,
)

masks = hnp.arrays(np.bool_, st.tuples(st.integers(0, 4), st.just(5), st.just(7)))


@settings(max_examples=50)
@given(masks, masks)
def test_mask_iou_and_share_inside_count_pixels(first: np.ndarray, second: np.ndarray) -> None:
    ious = mask_iou(torch.from_numpy(first), torch.from_numpy(second)).numpy()
    shares = share_inside(ious, first.sum((1, 2)), second.sum((1, 2)))
    for row, one in enumerate(first):
        for column, other in enumerate(second):
            union = sum(a or b for a, b in zip(one.flat, other.flat, strict=True))
            intersection = sum(a and b for a, b in zip(one.flat, other.flat, strict=True))
            assert ious[row, column] == pytest.approx(intersection / union if union else 0.0)
            assert shares[row, column] == pytest.approx(intersection / one.sum() if one.any() else 0.0)


@given(masks)
def test_areas_count_pixels(stack: np.ndarray) -> None:
    areas = mask_areas(torch.from_numpy(stack))
    assert areas.dtype == torch.int64 and areas.tolist() == [int(mask.sum()) for mask in stack]


def test_masks_larger_than_a_slice_with_themselves_and_with_copies() -> None:
    stack = torch.zeros(3, 3, SLICE_PIXELS // 2 + 5, dtype=torch.bool)
    stack[0], stack[1, 1:], stack[1, 0, :7] = True, True, True
    whole, part, _ = stack.flatten(1).sum(1).tolist()
    for other in (stack, stack.clone()):
        for count in (common_in_windows, common_by_products):
            assert count(stack, other).tolist() == [[whole, part, 0], [part, part, 0], [0, 0, 0]]
        expected = [[1.0, part / whole, 0.0], [part / whole, 1.0, 0.0], [0.0] * 3]
        np.testing.assert_allclose(mask_iou(stack, other), expected, atol=1e-7)


@given(masks, masks)
def test_both_ways_of_counting_are_equal(first: np.ndarray, second: np.ndarray) -> None:
    pair = torch.from_numpy(first), torch.from_numpy(second)
    assert torch.equal(common_in_windows(*pair), common_by_products(*pair))


@given(masks, st.integers(-9, 9), st.integers(-9, 9))
def test_shifted_moves_every_pixel(stack: np.ndarray, x: int, y: int) -> None:
    shifts = np.array([[x, y]] * len(stack), dtype=np.int64).reshape(-1, 2)
    moved = shifted(torch.from_numpy(stack), shifts).numpy()
    expected = np.zeros_like(stack)
    for index, row, column in np.argwhere(stack):
        if 0 <= row + y < 5 and 0 <= column + x < 7:
            expected[index, row + y, column + x] = True
    np.testing.assert_array_equal(moved, expected)


sides = st.integers(0, 6)
box_lists = st.lists(st.tuples(sides, sides, sides, sides), max_size=4)


@given(box_lists, box_lists)
def test_giou_of_boxes_counts_cells(first: list[tuple[int, ...]], second: list[tuple[int, ...]]) -> None:
    def cells(box: tuple[int, ...]) -> set[tuple[int, int]]:
        x, y, w, h = box
        return {(column, row) for column in range(x, x + w) for row in range(y, y + h)}

    def hull(one: tuple[int, ...], other: tuple[int, ...]) -> int:
        left, top = min(one[0], other[0]), min(one[1], other[1])
        return (max(one[0] + one[2], other[0] + other[2]) - left) * (max(one[1] + one[3], other[1] + other[3]) - top)

    found = box_giou(np.array(first, float).reshape(-1, 4), np.array(second, float).reshape(-1, 4))
    assert found.shape == (len(first), len(second))
    for row, one in enumerate(first):
        for column, other in enumerate(second):
            union = len(cells(one) | cells(other))
            around = hull(one, other)
            expected = len(cells(one) & cells(other)) / union - (around - union) / around if union else -1
            assert found[row, column] == pytest.approx(expected)


@settings(max_examples=50)
@given(hnp.arrays(np.uint8, (5, 7, 3)), masks)
def test_histograms_give_the_bhattacharyya_coefficient_of_the_colours(image: np.ndarray, stack: np.ndarray) -> None:
    rows = colour_histograms(torch.from_numpy(image), torch.from_numpy(stack)).numpy()

    def frequencies(mask: np.ndarray) -> dict[tuple[int, ...], float]:
        counts: dict[tuple[int, ...], float] = {}
        for pixel in image[mask]:
            key = tuple(int(value) // 32 for value in pixel)
            counts[key] = counts.get(key, 0) + 1 / mask.sum()
        return counts

    for one, first in zip(stack, rows, strict=True):
        for other, second in zip(stack, rows, strict=True):
            f, g = frequencies(one), frequencies(other)
            expected = sum(np.sqrt(f[key] * g[key]) for key in f.keys() & g.keys())
            assert first @ second == pytest.approx(expected, abs=1e-5)


@settings(max_examples=30)
@given(hnp.arrays(np.int32, (5, 7), elements=st.integers(0, BINS - 1)), masks)
def test_colours_are_counted_alike_with_and_without_waiting(codes: np.ndarray, stack: np.ndarray) -> None:
    pixels = torch.from_numpy(stack)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(appearance, "_SLICE_PIXELS", 8)  # several slices, and a rest
        counts = counted_by_sums(torch.from_numpy(codes), pixels)
    assert torch.equal(counts, counted_in_windows(torch.from_numpy(codes), pixels))


def test_what_a_track_is_known_by_follows_what_is_seen() -> None:
    known, seen = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    torch.testing.assert_close(blended(known, seen, 1.0), seen)
    half = blended(known, seen, 0.5)
    torch.testing.assert_close(half, torch.tensor([[0.5, 0.5]]).sqrt())
    torch.testing.assert_close(blended(known, known, 0.3), known)
