from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle, decode, encode, from_segmentation
from vis_pipeline.masks.rle import encode_windows
from vis_pipeline.masks.run_lengths import Runs, parse, run_lengths


def literal_runs(mask: np.ndarray) -> list[int]:
    runs = [len(list(group)) for _, group in groupby(mask.T.ravel().tolist())]
    return [0, *runs] if mask[0, 0] else runs


def literal_box(mask: np.ndarray) -> list[int]:
    rows, columns = np.nonzero(mask)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if len(rows) else [0, 0, 0, 0]


def text_of(runs: list[int]) -> str:
    """COCO's compression of any runs, empty ones too, by its description: differences, then five bits a character."""
    text = ""
    for index, run in enumerate(runs):
        number = run - runs[index - 2] if index > 2 else run
        while True:
            digit, number = number & 31, number >> 5
            done = number == (-1 if digit & 16 else 0)
            text += chr(48 + digit + (0 if done else 32))
            if done:
                break
    return text


def pixels_of(runs: Runs, mask: int, pixels: int) -> np.ndarray:
    shown = np.zeros(pixels, dtype=bool)
    edges = runs.edges[runs.offsets[mask] : runs.offsets[mask + 1]]
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        assert begin < end and not shown[max(begin - 1, 0) : end].any()
        shown[begin:end] = True
    return shown


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4), st.integers(1, 40), st.integers(1, 60), st.integers(0, 99))
def test_runs_areas_and_boxes_are_those_of_the_pixels(
    densities: list[float], height: int, width: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    stack = np.stack([generator.random((height, width)) < density for density in densities])
    runs = parse([rle["counts"] for rle in encode(stack)], height, width)
    for index, mask in enumerate(stack):
        np.testing.assert_array_equal(pixels_of(runs, index, mask.size), mask.T.ravel())
        assert run_lengths(runs, index, mask.size) == literal_runs(mask)
    assert runs.areas.tolist() == stack.sum(axis=(1, 2)).tolist()
    assert runs.boxes.tolist() == [literal_box(mask) for mask in stack]
    assert runs.canonical.all()


def test_long_runs() -> None:
    mask = np.zeros((2000, 3000), dtype=bool)
    mask[:, 1500:1502] = True
    runs = parse([encode(mask[None])[0]["counts"]], 2000, 3000)
    assert runs.edges.tolist() == [3000000, 3004000]
    assert runs.boxes.tolist() == [[1500, 0, 1502, 2000]]


def test_no_masks() -> None:
    assert parse([], 5, 5).areas.shape == (0,)


@pytest.mark.parametrize(
    ("counts", "fault"),
    [
        ("", "is empty or has characters"),
        ("0 1", "has characters"),
        ("é", "has characters"),
        ("oo", "is cut short"),
        ("oooooooo0", "more pixels than any picture"),
        (text_of([4, 5]), "do not add up to the 10 pixels"),
        (text_of([4, 7]), "do not add up to the 10 pixels"),
        (text_of([4, -1, 7]), "do not add up to the 10 pixels"),
    ],
)
def test_other_text_is_refused_and_its_place_told(counts: str, fault: str) -> None:
    with pytest.raises(DataError, match=f"damaged RLE: .*{fault}") as caught:
        parse([text_of([10]), text_of([1, 9]), counts], 2, 5)
    assert caught.value.mask == 2


def test_pictures_beyond_32_bits_are_refused() -> None:
    with pytest.raises(DataError, match=r"\[65536, 65536\]: more than 2147483647 pixels"):
        parse(["0"], 65536, 65536)


@given(st.lists(st.integers(0, 3) | st.integers(0, 100), min_size=1, max_size=12))
def test_empty_runs_make_no_difference_to_the_mask(lengths: list[int]) -> None:
    pixels = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    if len(pixels) == 0:
        return
    runs = parse([text_of(lengths)], 1, len(pixels))
    np.testing.assert_array_equal(pixels_of(runs, 0, len(pixels)), pixels)
    assert runs.canonical[0] == all(lengths[1:-1])
    assert run_lengths(runs, 0, len(pixels)) == literal_runs(pixels[None])
    rle: Rle = from_segmentation({"size": [1, len(pixels)], "counts": lengths}, 1, len(pixels))
    np.testing.assert_array_equal(decode(rle)[0], pixels)


@given(
    st.floats(0, 1),
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 40)),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 99),
)
def test_a_window_has_the_text_of_the_whole_mask(
    density: float, margins: tuple[int, int, int, int], height: int, width: int, seed: int
) -> None:
    window = np.random.default_rng(seed).random((height, width)) < density
    top, bottom, left, right = margins
    mask = np.pad(window, ((top, bottom + (height + top == 0)), (left, right + (width + left == 0))))
    assert encode_windows([window], np.array([[left, top]]), *mask.shape) == encode(mask[None])


@pytest.mark.parametrize("height", [1, 3, 7])
def test_a_window_may_have_as_many_runs_as_its_rows_allow(height: int) -> None:
    window = np.zeros((height, 500), dtype=bool)
    window[::2] = True
    mask = np.pad(window, ((2, 3), (4, 5)))
    for _ in range(20):  # what is written beyond a buffer shows by chance only
        assert encode_windows([window], np.array([[4, 2]]), *mask.shape) == encode(mask[None])


def test_numbers_of_any_length_are_written_as_pycocotools_does() -> None:
    mask = np.zeros((3000, 3000), dtype=bool)
    mask[5, 5] = mask[2990, 2000] = mask[2990, 2003:2300] = mask[0, 2990] = True
    assert encode_windows([mask], np.zeros((1, 2), dtype=np.int64), *mask.shape) == encode(mask[None])
    assert encode_windows([~mask], np.zeros((1, 2), dtype=np.int64), *mask.shape) == encode(~mask[None])
