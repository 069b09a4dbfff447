import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vis_pipeline.masks import bounding_boxes, encode
from vis_pipeline.masks.boxes import minmax_boxes

masks = hnp.arrays(np.bool_, st.tuples(st.integers(0, 4), st.just(5), st.just(7)))


@given(masks)
def test_minmax_boxes_enclose_the_mask_tightly(stack: np.ndarray) -> None:
    for mask, (x, y, w, h) in zip(stack, minmax_boxes(torch.from_numpy(stack)).tolist(), strict=True):
        pixels = np.argwhere(mask)
        if len(pixels) == 0:
            assert (x, y, w, h) == (0, 0, 0, 0)
        else:
            assert (x, y) == (pixels[:, 1].min(), pixels[:, 0].min())
            assert (x + w - 1, y + h - 1) == (pixels[:, 1].max(), pixels[:, 0].max())


@given(masks)
def test_minmax_boxes_are_those_of_the_run_lengths(stack: np.ndarray) -> None:
    expected = bounding_boxes(encode(stack))
    np.testing.assert_array_equal(minmax_boxes(torch.from_numpy(stack)).numpy(), expected)
