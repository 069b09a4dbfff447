import numpy as np
import pytest

from vis_pipeline.visualize.score_strip import FILL, score_strip

COLOUR = np.array([0, 255, 0], np.uint8)


def _heights(strip):
    """How many rows of the chart are filled in each of its columns."""
    return (strip[:100, 60:, 1].astype(int) > 255 * FILL / 2 + 40).sum(axis=0)


def test_the_curve_is_as_high_as_the_score():
    heights = _heights(score_strip(np.array([1.0, 0.5, 0.25, 0.0]), COLOUR, 460))
    np.testing.assert_allclose(heights[[50, 150, 250, 350]], [100, 50, 25, 0], atol=2)


def test_a_column_of_many_frames_shows_their_mean():
    scores = np.tile([0.2, 0.8], 5000)
    np.testing.assert_allclose(_heights(score_strip(scores, COLOUR, 160)), 50, atol=2)


def test_frames_without_a_score_are_empty_and_lost_ones_red():
    strip = score_strip(np.array([1.0, np.nan, np.nan, 3.0]), COLOUR, 460, marked=[0, 3], lost=[2])
    heights = _heights(strip)
    assert heights[50] == 100 and heights[150] == 0 and heights[350] == 100
    red, plain = strip[30, 60 + 250].astype(int), strip[30, 60 + 150].astype(int)
    assert red[2] - red[0] > 50 and abs(plain[2] - plain[0]) < 10


@pytest.mark.parametrize("length", [1, 2, 3000])
def test_any_length_keeps_the_width(length):
    assert score_strip(np.ones(length), COLOUR, 900, [0, length - 1]).shape[1] == 900
