"""Who is known again, against the rule told word by word."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from vis_pipeline.trackers.memory.recall import recalled


@given(data=st.data(), shape=array_shapes(min_dims=2, max_dims=2, max_side=4), margin=st.sampled_from([0.0, 0.1, 0.25]))
def test_a_pair_is_one_if_nothing_else_comes_near(data: st.DataObject, shape: tuple[int, int], margin: float) -> None:
    scores = data.draw(arrays(np.float64, shape, elements=st.integers(0, 20).map(lambda twentieth: twentieth / 20)))
    allowed = data.draw(arrays(np.bool_, shape))
    expected = []
    for row in range(shape[0]):
        for column in range(shape[1]):
            others = [scores[row, other] for other in range(shape[1]) if other != column]
            others += [scores[other, column] for other in range(shape[0]) if other != row]
            clear = all(scores[row, column] - other >= margin for other in others)
            if allowed[row, column] and scores[row, column] >= 0.5 and clear:
                expected.append((row, column))
    assert recalled(scores, allowed, 0.5, margin) == expected


def test_a_lone_pair_needs_its_score_alone() -> None:
    assert recalled(np.array([[0.5]]), np.array([[True]]), 0.5, 0.3) == [(0, 0)]
    assert recalled(np.array([[0.49]]), np.array([[True]]), 0.5, 0.0) == []
    assert recalled(np.full((1, 2), -np.inf), np.ones((1, 2), dtype=bool), 0.5, 0.0) == []
