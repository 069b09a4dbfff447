"""Who is known again: a pure decision over scores."""

import numpy as np
from numpy.typing import NDArray


def recalled(
    scores: NDArray[np.float64], allowed: NDArray[np.bool_], least: float, margin: float
) -> list[tuple[int, int]]:
    """The pairs (detection, track) that are the same object beyond doubt.

    A pair's score must be above the others of its row and of its column by `margin`: those of every other track that
    was asked about this detection, and of every other detection that this track was asked about.

    Args:
        scores: [D, R], of detections and remembered tracks, in 0..1; -inf where nobody asked.
        allowed: bool [D, R], pairs that may be one; the others still make it ambiguous.
        least: score that a pair needs.
        margin: see above.
    """
    found = []
    for detection, track in np.argwhere(allowed & (scores >= least)).tolist():
        rivals = np.concatenate([np.delete(scores[detection], track), np.delete(scores[:, track], detection)])
        if scores[detection, track] - rivals.max(initial=-np.inf) >= margin:
            found.append((detection, track))
    return found
