"""Who is known again: a pure decision over scores."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def recalled(
    scores: NDArray[np.float64], allowed: NDArray[np.bool_], least: float, margin: float
) -> list[tuple[int, int]]:
    """The pairs (detection, track) that are the same object beyond doubt.

    Objects are told apart together: where two lookalikes come back, each may look like both that were away, and only
    one of the two ways to name them is likely. The likely naming, one to one, is that whose pairs are worth most in
    sum; a pair is worth what its score has above `least - margin`, if anything. A pair is beyond doubt if it is in
    that naming, and every naming without it is worth less by `margin`.

    Args:
        scores: [D, R], of detections and remembered tracks, in 0..1; -inf where nobody asked.
        allowed: bool [D, R], pairs that may be one; the others still make it ambiguous.
        least: score that a pair needs.
        margin: see above.
    """
    worth = np.maximum(scores - (least - margin), 0.0)
    most, found = _total(worth), []
    for detection, track in zip(*_naming(worth), strict=True):
        if allowed[detection, track] and scores[detection, track] >= least:
            without = worth.copy()
            without[detection, track] = 0.0
            if most - _total(without) >= margin - _ROUNDING:
                found.append((int(detection), int(track)))
    return found


_ROUNDING = 1e-9


def _naming(worth: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return rows, columns


def _total(worth: NDArray[np.float64]) -> float:
    return float(worth[_naming(worth)].sum())
