import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.visualize.timeline import TimelineRow, coverage, timeline


@given(flags=st.lists(st.booleans(), min_size=1, max_size=60), width=st.integers(1, 90))
def test_coverage_is_the_share_of_each_stretch(flags, width):
    fine = np.repeat(np.array(flags, float), width)
    expected = fine.reshape(width, len(flags)).mean(axis=1)
    np.testing.assert_allclose(coverage(np.array(flags), width), expected, atol=1e-9)


def _row(number, visible, colour=(0, 200, 0), predicted=()):
    guessed = np.isin(np.arange(len(visible)), list(predicted))
    return TimelineRow(number, "ring", "0.50", np.array(colour, np.uint8), np.array(visible, bool), guessed)


def test_a_bar_shows_when_a_track_is_there():
    visible = [True] * 10 + [False] * 10
    picture = timeline([_row(1, visible)], 20, 670)
    bar = picture[11, 270:]
    np.testing.assert_array_equal(bar[5:195], np.tile([0, 200, 0], (190, 1)))
    assert (bar[205:] != [0, 200, 0]).any(axis=1).all()


def test_a_bar_is_thin_where_the_track_is_only_predicted():
    picture = timeline([_row(1, [True] * 20, predicted=range(10, 20))], 20, 670)[:22, 270:]
    thick, thin = ((picture[:, column] == [0, 200, 0]).all(axis=1).sum() for column in (100, 300))
    assert thick > 10 and 2 <= thin < thick / 2
    # The thin one lies in the middle of the thick one.
    rows = np.flatnonzero((picture[:, 300] == [0, 200, 0]).all(axis=1))
    assert rows.mean() == pytest.approx(np.flatnonzero((picture[:, 100] == [0, 200, 0]).all(axis=1)).mean())


def test_lost_frames_show_in_red():
    picture = timeline([_row(1, [False] * 10)], 10, 670, lost=[4])
    bar = picture[11, 270:].astype(int)
    redness = bar[:, 2] - bar[:, 0]
    assert redness[180] > 50 and redness[100] < 10


@pytest.mark.parametrize("count", [0, 1, 14, 15, 100])
def test_any_number_of_rows_keeps_the_width(count):
    rows = [_row(number + 1, [True, False, True]) for number in range(count)]
    assert timeline(rows, 3, 900, marked=[0, 2]).shape[1] == 900


def test_many_rows_stand_in_two_columns():
    one = timeline([_row(n, [True]) for n in range(14)], 1, 900).shape[0]
    two = timeline([_row(n, [True]) for n in range(28)], 1, 900).shape[0]
    assert one == two
