"""COCO's compressed run-lengths as arrays: read, checked and measured, many masks in one go; and written.

pycocotools trusts its input: it never comes back from an intersection of masks whose runs do not add up to the
picture. What comes from outside is read here first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.masks.compiled import compiled

# A character holds five bits of a number, low bits first, in its code less 48; the sixth bit says that more follow.
FIRST_CHARACTER = 48
MOST_PIXELS = 2**31 - 1
_LONGEST_NUMBER = 7
_SOUND, _CHARACTERS, _CUT, _TOO_LONG, _SUM = range(5)
_FAULTS = {
    _CHARACTERS: "`counts` is empty or has characters that no RLE has",
    _CUT: "`counts` is cut short",
    _TOO_LONG: "`counts` has a run of more pixels than any picture",
    _SUM: "the runs do not add up to the {pixels} pixels of the mask's size",
}


class DamagedRleError(DataError):
    """Run-lengths that describe no mask of their size; `mask` is the index among those that were read."""

    def __init__(self, fault: str, mask: int) -> None:
        super().__init__(f"damaged RLE: {fault}")
        self.fault, self.mask = fault, mask

    def __reduce__(self) -> tuple[type["DamagedRleError"], tuple[str, int]]:
        return type(self), (self.fault, self.mask)


@dataclass(frozen=True)
class Runs:
    """N masks of one size, each as the runs of its pixels in column-major order.

    Attributes:
        edges: int32 [E]; of each mask in turn, where every run of its pixels begins and, after it, where it ends
            (exclusive), rising. No run is empty and no two touch.
        offsets: int64 [N + 1]; mask i has `edges[offsets[i]:offsets[i + 1]]`.
        areas: int64 [N], pixels.
        boxes: int32 [N, 4], the masks' x1, y1, x2, y2 in pixels, x2 and y2 exclusive; zeros where a mask is empty.
        canonical: bool [N], the text had no empty run but the first or the last, which pycocotools relies on.
    """

    edges: NDArray[np.int32]
    offsets: NDArray[np.int64]
    areas: NDArray[np.int64]
    boxes: NDArray[np.int32]
    canonical: NDArray[np.bool_]


def parse(counts: Sequence[str], height: int, width: int) -> Runs:
    """Read the compressed text of any number of masks of one size.

    Raises:
        DamagedRleError: one of the texts is not of that form, or its runs do not add up to the picture.
        DataError: the picture has more than 2^31 - 1 pixels.
    """
    if height * width > MOST_PIXELS:
        raise DataError(f"mask of size [{height}, {width}]: more than {MOST_PIXELS} pixels")
    joined = "".join(counts)
    if not joined.isascii():
        raise DamagedRleError(_FAULTS[_CHARACTERS], next(i for i, text in enumerate(counts) if not text.isascii()))
    text = np.frombuffer(joined.encode("ascii"), dtype=np.uint8)
    ends = np.cumsum(np.fromiter(map(len, counts), dtype=np.int64, count=len(counts)))
    # A run takes at least one character, and a mask at most one edge more than it has runs.
    runs = Runs(
        edges=np.empty(len(text) + len(counts), dtype=np.int32),
        offsets=np.zeros(len(counts) + 1, dtype=np.int64),
        areas=np.zeros(len(counts), dtype=np.int64),
        boxes=np.zeros((len(counts), 4), dtype=np.int32),
        canonical=np.ones(len(counts), dtype=np.bool_),
    )
    mask, fault = _parse(
        text, ends, height, height * width, runs.edges, runs.offsets, runs.areas, runs.boxes, runs.canonical
    )
    if fault != _SOUND:
        raise DamagedRleError(_FAULTS[fault].format(pixels=height * width), mask)
    edges = runs.edges[: runs.offsets[-1]].copy()
    return Runs(edges, runs.offsets, runs.areas, runs.boxes, runs.canonical)


def run_lengths(runs: Runs, mask: int, pixels: int) -> list[int]:
    """The uncompressed RLE of one mask, background first, without empty runs but the first: COCO's `counts` list."""
    edges = runs.edges[runs.offsets[mask] : runs.offsets[mask + 1]]
    lengths: list[int] = np.diff(edges, prepend=0, append=pixels).tolist()
    return lengths if lengths[-1] else lengths[:-1]


def text_of_window(window: NDArray[np.bool_], left: int, top: int, height: int, width: int) -> str:
    """The compressed text of a mask of height x width pixels that lies in a window, bool [h, w], at left, top."""
    columns = np.ascontiguousarray(window.T)
    # In a column at most every other pixel begins a run, of two edges; the text has a number more, for what follows.
    edges = np.empty(len(columns) * (columns.shape[1] + 1), dtype=np.int32)
    count = _write_edges(columns, left * height + top, height, edges)
    text = np.empty((count + 1) * _LONGEST_NUMBER, dtype=np.uint8)
    return text[: _write_text(edges[:count], height * width, text)].tobytes().decode("ascii")


@compiled
def _parse(
    text: NDArray[np.uint8],
    ends: NDArray[np.int64],
    height: int,
    pixels: int,
    edges: NDArray[np.int32],
    offsets: NDArray[np.int64],
    areas: NDArray[np.int64],
    boxes: NDArray[np.int32],
    canonical: NDArray[np.bool_],
) -> tuple[int, int]:
    """Fill the arrays of a `Runs`; returns the index and the fault of the first mask that is damaged."""
    place = 0
    for mask in range(len(ends)):
        start = ends[mask - 1] if mask else 0
        fault, count, canonical[mask] = _read_edges(text[start : ends[mask]], pixels, edges[place:])
        if fault != _SOUND:
            return mask, fault
        if not canonical[mask]:
            count = _join(edges[place : place + count])
        areas[mask] = _measure(edges[place : place + count], height, boxes[mask])
        place += count
        offsets[mask + 1] = place
    return 0, _SOUND


@compiled
def _read_edges(text: NDArray[np.uint8], pixels: int, edges: NDArray[np.int32]) -> tuple[int, int, bool]:
    """Write where one mask's runs of pixels begin and end, empty ones too.

    Returns the fault, the number of edges, and whether no run inside is empty.
    """
    count = place = position = length = previous = longest = empty = signs = 0
    while place < len(text):
        digit = digits = np.int64(text[place]) - FIRST_CHARACTER
        number, shift, place = digit & 31, 5, place + 1
        while digit & 32:
            if place == len(text) or shift > 30:
                return _CUT if place == len(text) else _TOO_LONG, 0, False
            digit = np.int64(text[place]) - FIRST_CHARACTER
            digits |= digit
            number |= (digit & 31) << shift
            shift, place = shift + 5, place + 1
        if digits & ~63:
            return _CHARACTERS, 0, False
        # Bit 4 of the last digit is the sign. From its fourth number on, a mask has the difference to the run two
        # before.
        number -= (digit & 16) << (shift - 4)
        previous, length = length, number + previous if count > 2 else number
        position += length
        edges[count] = position
        count += 1
        signs |= length
        longest = max(longest, length)
        empty += length == 0
    # Only lengths beyond the picture could make the sum overflow.
    if count == 0 or signs < 0 or longest > pixels or position != pixels:
        return _SUM if count else _CHARACTERS, 0, False
    last_is_empty = length == 0 and count > 1
    # Runs of pixels have odd indices; a last one of background has no edge of its own.
    edge_count = count - last_is_empty
    return _SOUND, edge_count - edge_count % 2, empty == (edges[0] == 0) + last_is_empty


@compiled
def _join(edges: NDArray[np.int32]) -> int:
    """Drop empty runs and join those that touch, in place; returns how many edges are left."""
    count = 0
    for index in range(0, len(edges), 2):
        begin, end = edges[index], edges[index + 1]
        if begin == end:
            continue
        if count and edges[count - 1] == begin:
            count -= 1
        else:
            edges[count] = begin
            count += 1
        edges[count] = end
        count += 1
    return count


@compiled
def _measure(edges: NDArray[np.int32], height: int, box: NDArray[np.int32]) -> int:
    """Write the box of one mask and return its area."""
    rows, columns_a_pixel = np.int32(height), 1 / height
    area, top, bottom, crossed = 0, rows, np.int32(0), np.int32(0)
    for index in range(len(edges) // 2):
        first, last = edges[2 * index], edges[2 * index + 1] - np.int32(1)
        area += last - first + 1
        # Products are many times faster than quotients, and half a pixel in they round down to the same column.
        column = np.int32((first + 0.5) * columns_a_pixel)
        last_column = np.int32((last + 0.5) * columns_a_pixel)
        top, bottom = min(top, first - column * rows), max(bottom, last - last_column * rows + np.int32(1))
        crossed |= column ^ last_column
    # A run that goes on into the next column has the last row of the one and the first of the other.
    if crossed:
        top, bottom = np.int32(0), rows
    if area:
        box[0], box[1] = edges[0] // rows, top
        box[2], box[3] = (edges[-1] - 1) // rows + 1, bottom
    return area


@compiled
def _write_edges(columns: NDArray[np.bool_], start: int, height: int, edges: NDArray[np.int32]) -> int:
    """Write where the runs of a window's columns [w, h] begin and end; returns how many edges there are.

    Its first pixel is the mask's pixel `start`, counted down the columns.
    """
    count = 0
    for column in range(columns.shape[0]):
        position, inside = start + column * height, False
        for row in range(columns.shape[1]):
            if columns[column, row] != inside:
                inside = not inside
                # One that begins where the last column's ended goes on.
                if inside and count and edges[count - 1] == position + row:
                    count -= 1
                else:
                    edges[count] = position + row
                    count += 1
        if inside:
            edges[count] = position + columns.shape[1]
            count += 1
    return count


@compiled
def _write_text(edges: NDArray[np.int32], pixels: int, text: NDArray[np.uint8]) -> int:
    """Write the characters of a mask's runs; returns how many there are."""
    place = 0
    last = before = previous = 0
    for index in range(len(edges) + 1):
        edge = edges[index] if index < len(edges) else pixels
        length = edge - last
        if index == len(edges) and length == 0:
            break
        # From its fourth number on, a mask has the difference to the run two before.
        number = length - before if index > 2 else length
        last, before, previous = edge, previous, length
        more = True
        while more:
            digit = number & 31
            number >>= 5
            more = number != (-1 if digit & 16 else 0)
            text[place] = FIRST_CHARACTER + (digit | 32 if more else digit)
            place += 1
    return place
