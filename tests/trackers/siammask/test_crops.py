import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from siammask_oracle import plain_crop

from vis_pipeline.trackers.siammask.crops import crop, mean_colour
from vis_pipeline.trackers.siammask.gathers import gathered_crops
from vis_pipeline.trackers.siammask.geometry import rounded, search_sides, template_sides


def noise_image(height, width, seed):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def gathered(image, centres, sides, padding, size):
    """What `crop` does on an accelerator."""
    targets = zip(centres.tolist(), sides.tolist(), strict=True)
    corners = [[round(x - (side + 1) / 2), round(y - (side + 1) / 2)] for (x, y), side in targets]
    return gathered_crops(image, torch.tensor(corners), sides, padding, size)


@pytest.mark.parametrize("cut", [crop, gathered])
@pytest.mark.parametrize("size", [127, 255])
@pytest.mark.parametrize("sides", [[1, 2, 3], [126, 127, 128, 254, 255, 256], [510, 1600, 17, 3001, 333]])
def test_crops_are_opencvs_bit_for_bit(cut, size, sides):
    image = noise_image(180, 320, 1)
    rng = np.random.default_rng(2)
    centres = rng.uniform([0, 0], [320, 180], (len(sides), 2))
    padding = rng.integers(0, 256, (len(sides), 3), dtype=np.uint8)
    found = cut(
        torch.from_numpy(image), torch.from_numpy(centres), torch.tensor(sides), torch.from_numpy(padding), size
    )
    for index, side in enumerate(sides):
        expected = plain_crop(image, centres[index], side, padding[index], size)
        np.testing.assert_array_equal(found[index].numpy(), expected)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 64), st.floats(0, 48), st.integers(1, 300)), min_size=1, max_size=3))
def test_crops_are_opencvs_wherever_they_lie(targets):
    image = noise_image(48, 64, 3)
    padding = np.array([10, 20, 30], dtype=np.uint8)
    centres = np.array([target[:2] for target in targets])
    sides = torch.tensor([target[2] for target in targets])
    colours = torch.from_numpy(padding).expand(len(targets), 3)
    for cut in (crop, gathered):
        found = cut(torch.from_numpy(image), torch.from_numpy(centres), sides, colours, 127)
        for index, (x, y, side) in enumerate(targets):
            np.testing.assert_array_equal(found[index].numpy(), plain_crop(image, (x, y), side, padding, 127))


@pytest.mark.parametrize("cut", [crop, gathered])
def test_a_square_beyond_the_image_is_all_padding(cut):
    centres = torch.tensor([[-500.0, 10.0], [20.0, 900.0]], dtype=torch.float64)
    colours = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.uint8)
    found = cut(torch.from_numpy(noise_image(40, 40, 5)), centres, torch.tensor([60, 80]), colours, 127)
    assert torch.equal(found, colours[:, None, None, :].expand(2, 127, 127, 3))


def test_corners_round_half_to_even():
    image = noise_image(40, 40, 4)
    centres = torch.tensor([[20.0, 21.0], [20.5, 21.5]], dtype=torch.float64)
    found = crop(torch.from_numpy(image), centres, torch.tensor([10, 10]), torch.zeros(2, 3, dtype=torch.uint8), 10)
    np.testing.assert_array_equal(found[0], image[16:26, 14:24])
    np.testing.assert_array_equal(found[1], image[16:26, 15:25])


def test_sides_follow_the_context_rule():
    sizes = torch.tensor([[40.0, 90.0], [64.0, 64.0]], dtype=torch.float64)
    template = [np.sqrt((40 + 65) * (90 + 65)), 128.0]
    np.testing.assert_allclose(template_sides(sizes), template)
    np.testing.assert_allclose(search_sides(sizes), np.array(template) * 255 / 127)
    assert rounded(torch.tensor([0.2, 2.5, 3.5])).tolist() == [1, 2, 4]


def test_mean_colour_is_truncated():
    image = torch.tensor([[[0, 1, 255]], [[1, 2, 255]]], dtype=torch.uint8)
    assert mean_colour(image).tolist() == [0, 1, 255]
