"""Checks of run-length masks from outside: pycocotools trusts them, and loops for ever on lengths that do not add up."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError

FIRST_CHARACTER = 48
# Each character holds five bits; the sixth says that more follow. No run of a picture needs more than seven.
LONGEST_NUMBER = 7


def parse(counts: str) -> NDArray[np.int64]:
    """Run lengths, int64 [R], of COCO's compressed text: numbers of five bits a character, low bits first.

    From the fourth on each number is the difference to the length two runs before.

    Raises:
        DataError: the text is not of that form.
    """
    if not counts.isascii():
        raise DataError("damaged RLE: `counts` has characters that no RLE has")
    digits = np.frombuffer(counts.encode("ascii"), dtype=np.uint8).astype(np.int64) - FIRST_CHARACTER
    if digits.size == 0 or digits.min() < 0 or digits.max() > 63:
        raise DataError("damaged RLE: `counts` is empty or has characters that no RLE has")
    ends = np.flatnonzero(digits < 32)
    if ends.size == 0 or ends[-1] != digits.size - 1:
        raise DataError("damaged RLE: `counts` is cut short")
    starts = np.concatenate([[0], ends[:-1] + 1])
    sizes = ends - starts + 1
    if sizes.max() > LONGEST_NUMBER:
        raise DataError("damaged RLE: `counts` has a run that is too long")
    places = np.arange(digits.size) - np.repeat(starts, sizes)
    numbers = np.add.reduceat((digits & 31) << (5 * places), starts)
    runs = numbers - ((digits[ends] >> 4 & 1) << (5 * sizes))
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    return runs


def from_list(counts: Sequence[object]) -> NDArray[np.int64]:
    """Run lengths, int64 [R], of the uncompressed form.

    Raises:
        DataError: something else than whole numbers.
    """
    if not all(isinstance(count, int) and abs(count) < 2**31 for count in counts):
        raise DataError("damaged RLE: `counts` holds something else than whole numbers of pixels")
    return np.array(counts, dtype=np.int64)


def is_canonical(runs: NDArray[np.int64], pixels: int) -> bool:
    """Whether no run but the first and the last is empty.

    Raises:
        DataError: the runs do not cover exactly `pixels` pixels.
    """
    if runs.size == 0 or runs.min() < 0 or runs.sum() != pixels:
        raise DataError(f"damaged RLE: the runs do not add up to the mask's {pixels} pixels")
    return bool(runs[1:-1].all())


def canonical(runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same mask without empty runs inside: neighbours of one value are joined."""
    edges, times = np.unique(np.cumsum(runs)[:-1], return_counts=True)
    return np.diff(edges[times % 2 == 1], prepend=0, append=runs.sum())
