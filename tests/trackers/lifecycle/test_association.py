"""The Hungarian algorithm in sweeps and by ranks, against trying every matching."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vis_pipeline.trackers.lifecycle.association import Assignment, Sweep, associate


def brute_force_best(affinity: np.ndarray) -> float:
    """The best summed affinity, by trying every one-to-one matching."""
    if affinity.shape[0] > affinity.shape[1]:
        affinity = affinity.T
    rows, columns = affinity.shape
    return max(
        (
            sum(affinity[row, column] for row, column in enumerate(chosen))
            for chosen in permutations(range(columns), rows)
        ),
        default=0.0,
    )


def alone(affinity: np.ndarray, threshold: float) -> Assignment:
    """One sweep, all tracks of one rank."""
    return associate([Sweep(affinity, threshold)], np.zeros(affinity.shape[1], dtype=np.int64))


def pairs(assignment: Assignment) -> list[tuple[int, int]]:
    return list(zip(assignment.detections.tolist(), assignment.tracks.tolist(), strict=True))


shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=5)
values = st.sampled_from([0, 0.2, 0.5, 0.7, 1])
affinities = hnp.arrays(np.float64, shapes, elements=values)


@given(affinities, st.sampled_from([0.1, 0.5, 0.6]))
def test_assignment_is_optimal_one_to_one_and_never_below_the_threshold(affinity: np.ndarray, threshold: float) -> None:
    assignment = alone(affinity, threshold)
    chosen = affinity[assignment.detections, assignment.tracks]
    assert (chosen >= threshold).all()
    assert chosen.tolist() == assignment.affinities.tolist()
    assert len(set(assignment.detections)) == len(assignment.detections) == len(set(assignment.tracks))
    assert chosen.sum() == pytest.approx(brute_force_best(np.where(affinity >= threshold, affinity, 0)))
    assert sorted([*assignment.detections, *assignment.free_detections]) == list(range(affinity.shape[0]))
    assert sorted([*assignment.tracks, *assignment.free_tracks]) == list(range(affinity.shape[1]))


@given(st.data())
def test_each_sweep_and_rank_makes_the_most_of_what_those_before_left(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
    sweeps = [Sweep(data.draw(hnp.arrays(np.float64, shape, elements=values)), 0.4) for _ in range(2)]
    ranks = np.array(data.draw(st.lists(st.integers(0, 2), min_size=shape[1], max_size=shape[1])), dtype=np.int64)
    assignment = associate(sweeps, ranks)
    matched = pairs(assignment)
    assert assignment.detections.tolist() == sorted(assignment.detections.tolist())
    detections, tracks = set(range(shape[0])), set(range(shape[1]))
    for number, sweep in enumerate(sweeps):
        for rank in (0, 1, 2):
            members = sorted(track for track in tracks if ranks[track] == rank)
            here = [
                pair
                for pair, joined_by in zip(matched, assignment.sweeps.tolist(), strict=True)
                if joined_by == number and ranks[pair[1]] == rank
            ]
            left = sweep.affinity[np.ix_(sorted(detections), members)]
            assert sum(sweep.affinity[pair] for pair in here) == pytest.approx(
                brute_force_best(np.where(left >= sweep.threshold, left, 0))
            )
            detections -= {pair[0] for pair in here}
            tracks -= {pair[1] for pair in here}
    assert assignment.free_detections.tolist() == sorted(detections)
    assert assignment.free_tracks.tolist() == sorted(tracks)


def test_the_sum_decides_and_not_the_greedy_best_pair() -> None:
    assert pairs(alone(np.array([[0.9, 0.8], [0.8, 0.1]]), 0.3)) == [(0, 1), (1, 0)]


def test_a_weak_pair_is_not_matched_only_to_help_the_sum() -> None:
    # Without the threshold before the assignment 0-1 and 1-0 (0.45 + 0.49) would beat 0-0 alone.
    assert pairs(alone(np.array([[0.6, 0.49], [0.45, 0.0]]), 0.5)) == [(0, 0)]


def test_a_track_of_a_later_rank_gets_what_no_owner_wants() -> None:
    affinity = np.array([[0.4, 0.9], [0.0, 0.2]])
    assert pairs(alone(affinity, 0.3)) == [(0, 1)]
    ranked = associate([Sweep(affinity, 0.3)], np.array([0, 1]))
    assert pairs(ranked) == [(0, 0)]


def test_the_second_sweep_joins_only_what_the_first_left() -> None:
    by_masks, by_place = np.array([[0.5, 0.0], [0.0, 0.0]]), np.array([[0.0, 0.9], [0.8, 0.9]])
    assignment = associate([Sweep(by_masks, 0.3), Sweep(by_place, 0.6)], np.array([0, 0]))
    assert pairs(assignment) == [(0, 0), (1, 1)]
    assert assignment.sweeps.tolist() == [0, 1]
    assert assignment.affinities.tolist() == [0.5, 0.9]


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 2)])
def test_no_detections_or_no_tracks(shape: tuple[int, int]) -> None:
    assignment = alone(np.zeros(shape), 0.5)
    assert len(assignment.detections) == 0
    assert len(assignment.free_detections) == shape[0]
    assert len(assignment.free_tracks) == shape[1]


def test_an_affinity_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        alone(np.array([[np.nan]]), 0.5)
