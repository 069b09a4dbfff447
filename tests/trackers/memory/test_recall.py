"""Who is known again, against all namings one by one."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from vis_pipeline.trackers.memory.recall import recalled

NOBODY: frozenset[tuple[int, int]] = frozenset()


def namings(rows: int, columns: frozenset[int]) -> Iterator[frozenset[tuple[int, int]]]:
    """Every way to give some of the detections a track each, and no track to two."""
    if rows == 0:
        yield NOBODY
        return
    for naming in namings(rows - 1, columns):
        yield naming
    for column in columns:
        for naming in namings(rows - 1, columns - {column}):
            yield naming | {(rows - 1, column)}


@given(data=st.data(), shape=array_shapes(min_dims=2, max_dims=2, max_side=4), margin=st.sampled_from([1, 2, 5]))
def test_every_naming_without_the_pair_is_worth_less(data: st.DataObject, shape: tuple[int, int], margin: int) -> None:
    twentieths = data.draw(arrays(np.int64, shape, elements=st.integers(0, 20)))
    allowed = data.draw(arrays(np.bool_, shape))
    least = 10

    def worth(naming: frozenset[tuple[int, int]]) -> int:
        return sum(max(0, int(twentieths[pair]) - (least - margin)) for pair in naming)

    every = list(namings(shape[0], frozenset(range(shape[1]))))
    expected = []
    for pair in np.ndindex(shape):
        having = max(worth(naming) for naming in every if pair in naming)
        others = max(worth(naming) for naming in every if pair not in naming)
        if allowed[pair] and twentieths[pair] >= least and having - others >= margin:
            expected.append(pair)
    found = recalled(twentieths / 20, allowed, least / 20, float(Fraction(margin, 20)))
    assert sorted(found) == expected


def test_a_lone_pair_needs_its_score_alone() -> None:
    assert recalled(np.array([[0.5]]), np.array([[True]]), 0.5, 0.3) == [(0, 0)]
    assert recalled(np.array([[0.49]]), np.array([[True]]), 0.5, 0.1) == []
    assert recalled(np.full((1, 2), -np.inf), np.ones((1, 2), dtype=bool), 0.5, 0.1) == []


def test_two_lookalikes_that_come_back_tell_each_other_apart() -> None:
    scores = np.array([[0.91, 0.88], [0.55, 0.87]])
    everything = np.ones((2, 2), dtype=bool)
    assert recalled(scores, everything, 0.4, 0.15) == [(0, 0), (1, 1)]
    assert recalled(scores[:1], everything[:1], 0.4, 0.15) == []


def test_one_that_could_be_either_of_two_is_neither() -> None:
    assert recalled(np.array([[0.9, 0.89]]), np.ones((1, 2), dtype=bool), 0.4, 0.15) == []
    assert recalled(np.array([[0.9], [0.89]]), np.ones((2, 1), dtype=bool), 0.4, 0.15) == []
