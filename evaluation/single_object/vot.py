"""VOT's figures: accuracy, failures and expected average overlap (Kristan et al., VOT-2015 to 2019).

In the supervised experiment a tracker whose region no longer meets the true one has failed, and is started anew five
frames later; the unsupervised one lets it go on. The figures are those of PyPI's vot-toolkit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError

REGION = -1
UNKNOWN, INITIALISED, FAILED = 0, 1, 2
BURN_IN = 10
SKIPPED = 5
# The lengths, first and last, that EAO averages over.
LENGTHS = {"vot2016": (108, 371), "vot2018": (100, 356), "vot2019": (46, 291)}

Codes = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Stretch:
    """Frames from a start of the tracker to its failure or the sequence's end.

    Attributes:
        overlaps: float64 [N], that of the start (0, it does not count) first, the failed frame's left out.
        failed: whether it ended with a failure.
    """

    overlaps: Values
    failed: bool


def require_protocol(codes: Codes) -> None:
    """Check the order of a run's codes, int64 [F]: a start, regions, perhaps a failure, unknown frames, a start ...

    A start comes five frames after a failure, or later where the toolkit was told to skip frames.

    Raises:
        DataError: it is another; the line names the frame, from 1.
    """
    running, failed = False, 1 - SKIPPED
    for frame, code in enumerate(codes, start=1):
        if frame == 1 and code != INITIALISED:
            raise DataError("frame 1 must be a start (1)")
        if code == INITIALISED and running:
            raise DataError(f"frame {frame}: started (1) again without a failure (2)")
        if code == INITIALISED and frame - failed < SKIPPED:
            raise DataError(
                f"frame {frame}: started (1) {frame - failed} after a failure (2); VOT resets after {SKIPPED}"
            )
        if code in (REGION, FAILED) and not running:
            raise DataError(f"frame {frame}: follows a failure and must be 0 or a start (1)")
        failed = frame if code == FAILED else failed
        running = code == INITIALISED or (running and code != FAILED)


def require_one_start(codes: Codes) -> None:
    """Check the codes of a run without resets, int64 [F]: a start in the first frame alone, and no failure.

    Raises:
        DataError: it is another; the line names the frame, from 1.
    """
    if codes[0] != INITIALISED:
        raise DataError("frame 1 must be a start (1)")
    others = 1 + np.flatnonzero(np.isin(codes[1:], (INITIALISED, FAILED)))
    if len(others):
        raise DataError(f"frame {others[0] + 1}: code {codes[others[0]]}, but without resets nothing starts or fails")


def accuracy(codes: Codes, overlaps: Values, burn_in: int = BURN_IN) -> float:
    """Mean overlap of the frames with a region, without the `burn_in` frames from each start on; 0 if none is left."""
    frames = counted(codes, burn_in)
    return float(overlaps[frames].mean()) if frames.any() else 0.0


def counted(codes: Codes, burn_in: int = BURN_IN) -> NDArray[np.bool_]:
    """The frames that accuracy counts, bool [F]."""
    frames: NDArray[np.bool_] = codes == REGION
    for start in np.flatnonzero(codes == INITIALISED):
        frames[start : start + burn_in] = False
    return frames


def failures(codes: Codes) -> int:
    """How often a run failed."""
    return int(np.count_nonzero(codes == FAILED))


def stretches(codes: Codes, overlaps: Values) -> tuple[Stretch, ...]:
    """The stretches of a run, in their order."""
    parts = by_stretch(codes, overlaps)
    ended = failures(codes)
    return tuple(Stretch(part, number < ended) for number, part in enumerate(parts))


def by_stretch(codes: Codes, values: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """The values [F] of each stretch's frames, that of its failure left out."""
    starts, ends = np.flatnonzero(codes == INITIALISED), np.flatnonzero(codes == FAILED)
    return tuple(values[start:end] for start, end in zip_longest(starts, ends))


def eao_curve(runs: Sequence[Stretch], weights: Sequence[float] | None = None) -> Values:
    """Expected average overlap by length, float64 [L] up to the longest stretch; element i averages i frames.

    A stretch that failed goes on with zeros for ever; one that the sequence's end cut off counts up to there. The
    `weights` are above 0, one a stretch; by default all weigh the same.
    """
    longest = max(len(run.overlaps) for run in runs)
    total, count = np.zeros(longest), np.zeros(longest)
    for run, weight in zip(runs, [1.0] * len(runs) if weights is None else weights, strict=True):
        kept = longest if run.failed else len(run.overlaps)
        padded = np.zeros(kept)
        padded[: len(run.overlaps)] = run.overlaps
        padded[0] = 0
        total[:kept] += weight * np.cumsum(padded) / np.maximum(np.arange(kept), 1)
        count[:kept] += weight
    return total / count


def eao(curve: Values, lengths: tuple[int, int]) -> float:
    """Mean of the curve from the first to the last length, both included, or as far as it goes; NaN if not so far."""
    within = curve[lengths[0] : lengths[1] + 1]
    return float(within.mean()) if len(within) else float("nan")
