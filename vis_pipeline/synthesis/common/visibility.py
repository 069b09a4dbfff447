"""What counts as seen, and which tracks are half hidden or return."""

import numpy as np
from numpy.typing import NDArray

MIN_VISIBLE_PIXELS = 12
HALF_HIDDEN = 0.5


def half_hidden(fractions: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tracks, of [N, T] visible fractions, that show at most half of themselves in some frame where they show."""
    return np.asarray(((fractions > 0) & (fractions <= HALF_HIDDEN)).any(axis=1))


def returns(absent: NDArray[np.bool_], shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tracks that are `absent` in some frame between two where they are `shown`; all bool, [N, T] to [N]."""
    seen_before = np.logical_or.accumulate(shown, axis=1)
    seen_after = np.logical_or.accumulate(shown[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((absent & seen_before & seen_after).any(axis=1))
