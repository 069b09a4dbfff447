import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask

from vis_pipeline import masks, run_lengths
from vis_pipeline.errors import DataError


def literal_runs(mask):
    runs, value = [0], False
    for pixel in mask.flatten(order="F"):
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_parses_what_pycocotools_writes(mask):
    text = masks.encode(mask[None])[0]["counts"]
    assert run_lengths.parse(text).tolist() == literal_runs(mask)


def test_parses_long_runs_and_falling_differences():
    runs = [0, 70000, 3, 5, 1_000_000, 1, 2, 40000]
    text = coco_mask.frPyObjects({"size": [1, sum(runs)], "counts": runs}, 1, sum(runs))["counts"].decode()
    assert run_lengths.parse(text).tolist() == runs


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_empty_runs_inside_are_joined(counts):
    pixels = sum(counts)
    values = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    if pixels:
        rle = masks.from_segmentation({"size": [1, pixels], "counts": counts}, 1, pixels)
        assert masks.decode(rle)[0].tolist() == values.tolist()
        assert run_lengths.is_canonical(run_lengths.parse(rle["counts"]), pixels)


@pytest.mark.parametrize(
    "counts",
    [
        [22, 6, 4, 600],
        [22, 6],
        [],
        [22, 50, -20, 48],
        [22, 6.0, 72],
        ["a"],
        "",
        "f0",
        "f06h",
        "é",
        "~~",
        " ",
        7,
        "oooooooooooo0",
        None,
    ],
)
def test_damaged_runs_are_an_error(counts):
    with pytest.raises(DataError, match="damaged RLE"):
        masks.from_segmentation({"size": [10, 10], "counts": counts}, 10, 10)


def test_any_number_of_masks_has_areas():
    assert masks.area(masks.encode(np.ones((600, 2, 3), dtype=bool))).tolist() == [6.0] * 600
