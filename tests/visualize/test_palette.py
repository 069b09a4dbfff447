import cv2
import numpy as np
import pytest

from vis_pipeline.visualize.palette import identity_colours, perceived_difference


def test_a_colour_does_not_depend_on_how_many_follow():
    many = identity_colours(120)
    for count in (0, 1, 7, 40):
        np.testing.assert_array_equal(identity_colours(count), many[:count])


def test_a_hundred_identities_have_a_hundred_colours():
    assert len({tuple(colour) for colour in identity_colours(100).tolist()}) == 100


def test_more_identities_than_colours_begin_again():
    colours = identity_colours(1000)
    assert colours.shape == (1000, 3)
    assert colours.dtype == np.uint8


# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
VISIONS = {
    "ordinary": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def _smallest_distance(colours, vision):
    """By OpenCV's CIELAB of what that vision sees."""
    share = colours[:, ::-1] / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.asarray(VISIONS[vision]).T, 0, 1)
    encoded = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = cv2.cvtColor(encoded[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return distances[~np.eye(len(colours), dtype=bool)].min()


@pytest.mark.parametrize(("count", "least"), [(8, 23), (10, 20), (12, 16)])
@pytest.mark.parametrize("vision", list(VISIONS))
def test_first_colours_stay_apart_for_every_reader(count, least, vision):
    # By the same measure Okabe and Ito's eight are 16 apart, Tol's ten muted ones 15.
    assert _smallest_distance(identity_colours(count), vision) > least


def test_ordinary_vision_sees_them_twice_as_far_apart():
    assert _smallest_distance(identity_colours(12), "ordinary") > 35


def test_neighbours_stay_apart_far_into_the_list():
    colours = identity_colours(50)
    assert np.diag(perceived_difference(colours, colours), 1).min() > 8


def test_black_and_white_are_a_hundred_apart_half_of_it_counts():
    black, white = np.zeros((1, 3), np.uint8), np.full((1, 3), 255, np.uint8)
    np.testing.assert_allclose(perceived_difference(black, white), 50, atol=1e-3)


def test_red_and_green_are_closer_than_blue_and_yellow():
    red, green = np.array([[40, 40, 200]], np.uint8), np.array([[40, 120, 40]], np.uint8)
    blue, yellow = np.array([[200, 40, 40]], np.uint8), np.array([[40, 220, 220]], np.uint8)
    assert perceived_difference(red, green) < perceived_difference(blue, yellow)
