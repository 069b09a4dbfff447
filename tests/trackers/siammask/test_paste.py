import numpy as np
import pytest
import torch
from siammask_oracle import plain_paste

from vis_pipeline.trackers.siammask.gathers import gathered_paste
from vis_pipeline.trackers.siammask.paste import paste


def masks_and_squares(side, height, width):
    rng = np.random.default_rng(height)
    corners = rng.uniform([-width, -height], [width, height], (24, 2))
    squares = np.concatenate([corners, rng.uniform(3, 2 * width, (24, 1))], axis=1)
    return rng.random((24, side, side), dtype=np.float32), squares


@pytest.mark.parametrize("side", [63, 127])
@pytest.mark.parametrize(("height", "width"), [(90, 160), (192, 320), (61, 47)])
def test_pasted_masks_are_the_plain_ones(side, height, width):
    masks, squares = masks_and_squares(side, height, width)
    found = paste(torch.from_numpy(masks), torch.from_numpy(squares), (height, width), 0.35).numpy()
    for index in range(24):
        expected = plain_paste(masks[index], *squares[index], width, height) > 0.35
        np.testing.assert_array_equal(found[index], expected)
    assert found.any()


@pytest.mark.parametrize("side", [63, 127])
@pytest.mark.parametrize(("height", "width"), [(90, 160), (192, 320), (61, 47)])
def test_gathered_warps_are_opencvs_bit_for_bit(side, height, width):
    masks, squares = masks_and_squares(side, height, width)
    lengths = np.array([width, height])
    scales = side / squares[:, 2:]
    factors = (lengths - 1) / (lengths * scales)
    shifts = -factors * (-squares[:, :2] * scales)
    found = gathered_paste(
        torch.from_numpy(masks), torch.from_numpy(factors), torch.from_numpy(shifts), (height, width)
    )
    for index in range(24):
        expected = plain_paste(masks[index], *squares[index], width, height)
        np.testing.assert_array_equal(found[index].numpy(), expected)


def test_nothing_lies_outside_the_mask():
    squares = torch.tensor([[100.0, 100.0, 20.0], [-40.0, 5.0, 20.0]], dtype=torch.float64)
    assert not paste(torch.ones(2, 127, 127), squares, (48, 64), 0.0).any()
