from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle, decode, encode, from_segmentation
from vis_pipeline.run_lengths import canonical, parse


def literal_runs(mask: np.ndarray) -> list[int]:
    runs = [len(list(group)) for _, group in groupby(mask.T.ravel().tolist())]
    return [0, *runs] if mask[0, 0] else runs


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4), st.integers(1, 40), st.integers(1, 60), st.integers(0, 99))
def test_runs_are_those_of_the_columns(densities: list[float], height: int, width: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    stack = np.stack([generator.random((height, width)) < density for density in densities])
    runs, begins = parse([rle["counts"] for rle in encode(stack)])
    found = [part.tolist() for part in np.split(runs, begins[1:])]
    assert found == [literal_runs(mask) for mask in stack]


def test_long_runs() -> None:
    mask = np.zeros((2000, 3000), dtype=bool)
    mask[:, 1500:1502] = True
    assert parse([encode(mask[None])[0]["counts"]])[0].tolist() == [3000000, 4000, 2996000]


@pytest.mark.parametrize("counts", ["", "oo", "0 1", "é", "oooooooo0"])
def test_other_text_is_refused(counts: str) -> None:
    with pytest.raises(DataError, match="damaged RLE"):
        parse([counts])


@given(st.lists(st.integers(0, 6), min_size=1, max_size=12))
def test_empty_runs_inside_are_joined_to_the_same_mask(runs: list[int]) -> None:
    pixels = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    if len(pixels) == 0:
        return
    joined = canonical(np.array(runs))
    assert (joined[1:-1] > 0).all() and joined.sum() == len(pixels)
    rle: Rle = from_segmentation({"size": [1, len(pixels)], "counts": runs}, 1, len(pixels))
    np.testing.assert_array_equal(decode(rle)[0], pixels)
    np.testing.assert_array_equal(np.repeat(np.arange(len(joined)) % 2 == 1, joined), pixels)
