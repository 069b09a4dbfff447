from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vis_pipeline.tracking.affinity import mask_iou
from vis_pipeline.tracking.association import associate


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


affinities = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=5),
    elements=st.sampled_from([0, 0.2, 0.5, 0.7, 1]),
)


@given(affinities, st.sampled_from([0.1, 0.5, 0.6]))
def test_assignment_is_optimal_one_to_one_and_never_below_the_threshold(affinity: np.ndarray, threshold: float) -> None:
    assignment = associate(affinity, threshold)
    chosen = affinity[assignment.detections, assignment.tracks]
    assert (chosen >= threshold).all()
    assert len(set(assignment.detections)) == len(assignment.detections) == len(set(assignment.tracks))
    assert chosen.sum() == pytest.approx(brute_force_best(np.where(affinity >= threshold, affinity, 0)))
    assert sorted([*assignment.detections, *assignment.free_detections]) == list(range(affinity.shape[0]))
    assert sorted([*assignment.tracks, *assignment.free_tracks]) == list(range(affinity.shape[1]))


def test_the_sum_decides_and_not_the_greedy_best_pair() -> None:
    affinity = np.array([[0.9, 0.8], [0.8, 0.1]])
    assignment = associate(affinity, 0.3)
    assert list(zip(assignment.detections, assignment.tracks, strict=True)) == [(0, 1), (1, 0)]


def test_a_weak_pair_is_not_matched_only_to_help_the_sum() -> None:
    # Without the threshold before the assignment 0-1 and 1-0 (0.45 + 0.49) would beat 0-0 alone.
    affinity = np.array([[0.6, 0.49], [0.45, 0.0]])
    assignment = associate(affinity, 0.5)
    assert assignment.detections.tolist() == [0]
    assert assignment.tracks.tolist() == [0]


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 2)])
def test_no_detections_or_no_tracks(shape: tuple[int, int]) -> None:
    assignment = associate(np.zeros(shape), 0.5)
    assert len(assignment.detections) == 0
    assert len(assignment.free_detections) == shape[0]
    assert len(assignment.free_tracks) == shape[1]


def test_an_affinity_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        associate(np.array([[np.nan]]), 0.5)


masks = hnp.arrays(np.bool_, st.tuples(st.integers(0, 4), st.just(5), st.just(7)))


@settings(max_examples=50)
@given(masks, masks)
def test_mask_iou_counts_pixels(first: np.ndarray, second: np.ndarray) -> None:
    ious = mask_iou(torch.from_numpy(first), torch.from_numpy(second)).numpy()
    for row, one in enumerate(first):
        for column, other in enumerate(second):
            union = sum(a or b for a, b in zip(one.flat, other.flat, strict=True))
            intersection = sum(a and b for a, b in zip(one.flat, other.flat, strict=True))
            assert ious[row, column] == pytest.approx(intersection / union if union else 0.0)
