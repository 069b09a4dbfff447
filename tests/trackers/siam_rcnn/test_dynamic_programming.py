"""What is kept of ended tracklets is all that the best sequences need."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_pipeline.trackers.siam_rcnn.dynamic_programming import UNREACHED, Ended, Ladder, earliest_end, ladder, unary
from vis_pipeline.trackers.siam_rcnn.settings import TdpaSettings

SIZE = np.array([64.0, 32.0])
BOX = (12.0, 8.0, 8.0, 8.0)


def with_more(ended: Ended, end: int, totals: list[float], boxes: list[tuple[float, ...]], max_gap: int = 5) -> Ended:
    chosen = TdpaSettings(max_gap=max_gap, location_weight=8)
    return ended.with_more(end, np.array(boxes).reshape(-1, 4), np.array(totals, dtype=np.float64), SIZE, chosen)


def moved(x: float, y: float = 0.0) -> tuple[float, ...]:
    return (BOX[0] + x, BOX[1] + y, *BOX[2:])


# An end is given in steps after the one before; totals are eighths, so that sums are exact.
ended_tracklets = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.lists(st.tuples(st.integers(-8, 24), st.integers(0, 32), st.integers(0, 2)), min_size=1, max_size=3),
    ),
    max_size=8,
)


@settings(max_examples=200)
@given(ended_tracklets, st.integers(0, 32), st.integers(1, 8), st.integers(0, 6))
def test_no_predecessor_that_could_be_the_best_is_dropped(groups: list, x: int, max_gap: int, further: int) -> None:
    ended, everything, end = Ended.none(), [], 0
    for steps, tracklets in groups:
        end += steps
        totals = [total / 8 for total, _, _ in tracklets]
        boxes = [moved(x, y) for _, x, y in tracklets]
        ended = with_more(ended, end, totals, boxes, max_gap)
        everything += [(end, total, box) for total, box in zip(totals, boxes, strict=True)]
    steps = ladder(ended, np.array(moved(x)), SIZE, 8)
    # As the window moves on.
    earliest = earliest_end(end + further, max_gap)
    values = [
        total - 8 * (abs(box[0] - moved(x)[0]) / 64 + abs(box[1] - BOX[1]) / 32) / 4
        for tracklet_end, total, box in everything
        if tracklet_end >= earliest
    ]
    assert steps.best(earliest) == max(values, default=UNREACHED)
    assert (np.diff(steps.ends) >= 0).all()
    assert (np.diff(steps.values) < 0).all()


def test_what_lies_beyond_the_gap_is_dropped() -> None:
    ended = with_more(Ended.none(), 1, [9.0], [BOX])
    assert with_more(ended, 5, [0.0], [BOX]).ends.tolist() == [1, 5]
    assert with_more(ended, 6, [0.0], [BOX]).ends.tolist() == [6]


def test_what_no_sequence_reaches_is_not_kept_and_still_moves_the_gap() -> None:
    ended = with_more(Ended.none(), 1, [9.0], [BOX])
    ended = with_more(ended, 5, [UNREACHED], [BOX])
    assert (ended.ends.tolist(), ended.latest_end) == ([1], 5)
    ended = with_more(ended, 6, [UNREACHED], [BOX])
    assert (ended.ends.tolist(), ended.latest_end) == ([], 6)
    assert with_more(ended, 9, [], []) is ended


@pytest.mark.parametrize(("total", "kept"), [(2.0, [1, 2]), (3.0, [1, 2]), (3.125, [2])])
def test_a_later_one_whose_total_pays_for_the_way_takes_an_earlier_ones_place(total: float, kept: list[int]) -> None:
    """The way costs 8 * (32 / 64) / 4 = 1; where it is just paid both are kept."""
    ended = with_more(Ended.none(), 1, [2.0], [BOX])
    assert with_more(ended, 2, [total], [moved(32)]).ends.tolist() == kept


def test_a_ladder_without_steps() -> None:
    assert Ladder.none().best(-5) == UNREACHED
    assert ladder(Ended.none(), np.array(BOX), SIZE, 8).best(-5) == UNREACHED


def test_the_unary_score() -> None:
    np.testing.assert_array_equal(unary(np.array([1.0, 0.0]), np.array([0.0, 3.0]), 0.25), [0.25, 2.25])
