"""Checks of run-length masks from outside.

pycocotools trusts them: it never comes back from an intersection of masks whose runs do not add up to the picture.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError

# A character holds five bits of a number, low bits first, in its code less 48; the sixth bit says that more follow.
FIRST_CHARACTER = 48
LONGEST_NUMBER = 7


def parse(counts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Read COCO's compressed text of N masks (at least one) at once.

    Returns the runs of all masks one after another, int64 [R], and where each mask's begin, int64 [N].

    Raises:
        DataError: one of the texts is not of that form.
    """
    joined = "".join(counts)
    if not (joined.isascii() and all(counts)):
        raise DataError("damaged RLE: `counts` is empty or has characters that no RLE has")
    digits = np.frombuffer(joined.encode("ascii"), dtype=np.uint8) - np.uint8(FIRST_CHARACTER)
    lengths = np.cumsum([len(text) for text in counts])
    if digits.max() > 63:
        raise DataError("damaged RLE: `counts` has characters that no RLE has")
    if (digits[lengths - 1] > 31).any():
        raise DataError("damaged RLE: `counts` is cut short")
    ends = np.flatnonzero(digits < 32)
    begins = np.searchsorted(ends, np.concatenate([[0], lengths[:-1]]))
    return _undo_differences(_numbers(digits, ends), begins), begins


def are_canonical(counts: Sequence[str], pixels: int) -> NDArray[np.bool_]:
    """Whether no run but the first and the last is empty, bool [N]; masks have `pixels` pixels each.

    Raises:
        DataError: the runs of one of the masks are no RLE, or do not add up to `pixels`.
    """
    runs, begins = parse(counts)
    if runs.min() < 0 or (np.add.reduceat(runs, begins) != pixels).any():
        raise DataError(f"damaged RLE: the runs do not add up to the {pixels} pixels of the mask's size")
    empty = runs == 0
    empty[begins] = False
    empty[np.append(begins[1:], len(runs)) - 1] = False
    return ~np.logical_or.reduceat(empty, begins)


def canonical(runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The runs of the same mask without empty ones inside: neighbours of one value are joined."""
    edges, times = np.unique(np.cumsum(runs)[:-1], return_counts=True)
    return np.diff(edges[times % 2 == 1], prepend=0, append=runs.sum())


def _numbers(digits: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    starts = np.concatenate([[0], ends[:-1] + 1])
    sizes = ends - starts + 1
    longest = int(sizes.max())
    if longest > LONGEST_NUMBER:
        raise DataError("damaged RLE: `counts` has a run of more pixels than any picture")
    numbers: NDArray[np.int64] = (digits[starts] & 31).astype(np.int64)
    for place in range(1, longest):
        longer = np.flatnonzero(sizes > place)
        numbers[longer] |= (digits[starts[longer] + place] & 31).astype(np.int64) << (5 * place)
    negative = np.flatnonzero(digits[ends] & 16)
    numbers[negative] -= np.int64(1) << (5 * sizes[negative])
    return numbers


def _undo_differences(numbers: NDArray[np.int64], begins: NDArray[np.int64]) -> NDArray[np.int64]:
    """From its fourth number on, a mask has the difference to the run two before."""
    # Sums with stride two over everything; what came before a mask's own chains is then taken off. The two zeros in
    # front stand for the runs before the first mask.
    sums = np.zeros(len(numbers) + 2, dtype=np.int64)
    sums[2::2] = np.cumsum(numbers[0::2])
    sums[3::2] = np.cumsum(numbers[1::2])
    counts = np.diff(begins, append=len(numbers))
    odd = (np.arange(len(numbers)) - np.repeat(begins, counts)) % 2 == 1
    before = np.where(odd, np.repeat(sums[begins + 1], counts), np.repeat(sums[begins + 2], counts))
    before[begins] = sums[begins]
    runs: NDArray[np.int64] = sums[2:] - before
    return runs
