import numpy as np

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


def test_first_colours_stay_apart_also_for_colour_blind_readers():
    colours = identity_colours(12)
    difference = perceived_difference(colours, colours)
    assert difference[~np.eye(12, dtype=bool)].min() > 0.1


def test_neighbours_stay_apart_far_into_the_list():
    colours = identity_colours(50)
    assert np.diag(perceived_difference(colours, colours), 1).min() > 0.08


def test_white_and_black_are_one_apart_in_weighted_lightness():
    black, white = np.zeros((1, 3), np.uint8), np.full((1, 3), 255, np.uint8)
    np.testing.assert_allclose(perceived_difference(black, white), 0.8, atol=1e-3)


def test_red_and_green_are_closer_than_blue_and_yellow():
    red, green = np.array([[40, 40, 200]], np.uint8), np.array([[40, 120, 40]], np.uint8)
    blue, yellow = np.array([[200, 40, 40]], np.uint8), np.array([[40, 220, 220]], np.uint8)
    assert perceived_difference(red, green) < perceived_difference(blue, yellow)
