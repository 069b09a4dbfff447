"""Damage inside the scan of a JPEG, which decoders fill up without a word.

A baseline scan is gone through code by code as ITU T.81 lays it down (annexes F.2 and B), without making pixels: every
code must be one of its table, no block may have more than 64 coefficients or be brighter than white, and the scan must
end where its last block does. A bit that only makes a coefficient another one cannot be told; that is most bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.masks.compiled import compiled

_TABLES, _QUANTISERS, _RESTARTS, _SCAN, _END = 0xC4, 0xDB, 0xDD, 0xDA, 0xD9
_SEQUENTIAL = (0xC0, 0xC1)
# Frames of other processes: progressive, lossless, arithmetic.
_OTHER_FRAMES = {*range(0xC2, 0xD0)} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD9)}
_MOST_BLOCKS = 10


@dataclass
class _Head:
    """What the segments before a scan say."""

    size: tuple[int, int] = (0, 0)
    components: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """By id: how often it is sampled across and down, and its quantiser."""
    lookups: dict[int, NDArray[np.uint16]] = field(default_factory=dict)
    """By class and number: for 16 bits the length of the code they begin with, times 256, and its value."""
    steps: dict[int, int] = field(default_factory=dict)
    """Of each quantiser the step of the mean."""
    restart: int = 0


def scan_is_sound(data: bytes) -> bool:
    """Whether no damage shows inside the scans; also for what is not looked into, as progressive files are not."""
    head = _Head()
    try:
        for marker, begin, end in _segments(data):
            if marker in _OTHER_FRAMES:
                return True
            if marker in _SEQUENTIAL:
                if data[begin] != 8:
                    return True
                _read_frame(head, data[begin:end])
            elif marker == _TABLES:
                _read_tables(head, data[begin:end])
            elif marker == _QUANTISERS:
                _read_quantisers(head, data[begin:end])
            elif marker == _RESTARTS:
                head.restart = int.from_bytes(data[begin : begin + 2], "big")
            elif marker == _SCAN and not _scan_is_sound(head, data, begin, end):
                return False
    except (IndexError, KeyError, ValueError):
        # Segments that contradict each other are for the decoder to refuse.
        return True
    return True


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each segment's marker, and from where to where its content lies."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0 or marker in _ALONE:
            at += 2
        elif marker == _END:
            return
        else:
            end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            yield marker, at + 4, end
            at = end


def _read_frame(head: _Head, content: bytes) -> None:
    head.size = int.from_bytes(content[3:5], "big"), int.from_bytes(content[1:3], "big")
    head.components = {
        content[at]: (content[at + 1] >> 4, content[at + 1] & 15, content[at + 2])
        for at in range(6, 6 + 3 * content[5], 3)
    }


def _read_tables(head: _Head, content: bytes) -> None:
    at = 0
    while at < len(content):
        counts = np.frombuffer(content, np.uint8, 16, at + 1).astype(np.int64)
        total = int(counts.sum())
        lengths = np.repeat(np.arange(1, 17), counts)
        values = np.frombuffer(content, np.uint8, total, at + 17)
        codes = np.repeat((lengths * 256 + values).astype(np.uint16), 1 << (16 - lengths))
        lookup = np.zeros(1 << 16, np.uint16)
        lookup[: len(codes)] = codes
        head.lookups[content[at]] = lookup
        at += 17 + total


def _read_quantisers(head: _Head, content: bytes) -> None:
    at = 0
    while at < len(content):
        wide = content[at] >> 4
        head.steps[content[at] & 15] = int.from_bytes(content[at + 1 : at + 2 + wide], "big")
        at += 1 + 64 * (1 + wide)


def _scan_is_sound(head: _Head, data: bytes, begin: int, end: int) -> bool:
    count = data[begin]
    chosen = [(data[at], data[at + 1]) for at in range(begin + 1, begin + 1 + 2 * count, 2)]
    width, height = head.size
    if not width or not height:
        return True
    most = [max(sampling[axis] for sampling in head.components.values()) for axis in (0, 1)]
    across, down = most
    if count == 1:
        h, v, _ = head.components[chosen[0][0]]
        units = _ceil(_ceil(width * h, across), 8) * _ceil(_ceil(height * v, down), 8)
        repeats = [1]
    else:
        units = _ceil(width, 8 * across) * _ceil(height, 8 * down)
        repeats = [head.components[name][0] * head.components[name][1] for name, _ in chosen]
    if sum(repeats) > _MOST_BLOCKS:
        return True
    dc = np.stack([head.lookups[tables >> 4] for _, tables in chosen])
    ac = np.stack([head.lookups[0x10 | (tables & 15)] for _, tables in chosen])
    steps = np.array([head.steps[head.components[name][2]] for name, _ in chosen], np.int64)
    of_block = np.repeat(np.arange(count), repeats)
    return bool(_walk(np.frombuffer(data, np.uint8), end, dc, ac, steps, of_block, units, head.restart or units))


def _ceil(number: int, parts: int) -> int:
    return -(-number // parts)


@compiled
def _walk(  # noqa: C901
    data: NDArray[np.uint8],
    at: int,
    dc: NDArray[np.uint16],
    ac: NDArray[np.uint16],
    steps: NDArray[np.int64],
    of_block: NDArray[np.int64],
    units: int,
    restart: int,
) -> bool:
    """Whether the scan that begins at a byte has `units` units of blocks, one component each, and then ends.

    Args:
        data: the file.
        at: the scan's first byte.
        dc: uint16 [C, 65536], of each component the codes of the means.
        ac: the same of the other coefficients.
        steps: int64 [C], of the means.
        of_block: int64 [B], the component of each block of a unit.
        units: of the scan.
        restart: units after which the coding begins anew.
    """
    size = data.shape[0]
    held, bits = np.uint64(0), 0  # the next bits, right aligned
    missing = 0  # of them behind the end of the stretch
    means = np.zeros(steps.shape[0], np.int64)
    for unit in range(units):
        if unit and unit % restart == 0:
            if missing > bits or bits - missing >= 8 or at + 2 > size or data[at] != 0xFF:
                return False
            while at + 2 <= size and data[at + 1] == 0xFF:
                at += 1
            if at + 2 > size or data[at + 1] < 0xD0 or data[at + 1] > 0xD7:
                return False
            at += 2
            held, bits, missing = np.uint64(0), 0, 0
            means[:] = 0
        for block in range(of_block.shape[0]):
            component = of_block[block]
            place = 0
            while place < 64:
                while bits <= 40:
                    byte = np.uint64(0)
                    if at < size and data[at] != 0xFF:
                        byte = np.uint64(data[at])
                        at += 1
                    elif at + 1 < size and data[at] == 0xFF and data[at + 1] == 0:
                        byte = np.uint64(0xFF)
                        at += 2
                    else:
                        missing += 8
                    held = ((held & np.uint64(0xFFFFFFFFFFFF)) << np.uint64(8)) | byte
                    bits += 8
                window = (held >> np.uint64(bits - 16)) & np.uint64(0xFFFF)
                code = dc[component, window] if place == 0 else ac[component, window]
                length, value = code >> 8, code & 0xFF
                if length == 0:
                    return False
                bits -= length
                zeros, magnitude = value >> 4, value & 15
                if place == 0:
                    magnitude = value
                    if magnitude > 11:
                        return False
                elif magnitude == 0:
                    if zeros != 15:
                        break
                    place += 16
                    if place > 64:
                        return False
                    continue
                else:
                    place += zeros
                    if place > 63 or magnitude > 10:
                        return False
                bits -= magnitude
                if place == 0 and magnitude > 0:
                    found = np.int64((held >> np.uint64(bits)) & np.uint64((1 << magnitude) - 1))
                    if found < (1 << (magnitude - 1)):
                        found -= (1 << magnitude) - 1
                    means[component] += found
                    # Eight times what lies between the grey in the middle and white, and what rounding adds.
                    if abs(means[component]) * steps[component] > 1024 + 2 * steps[component]:
                        return False
                place += 1
            if missing > bits:
                return False
    # What is left before the next marker is padding, of which some write more than a byte.
    if bits - missing >= 8:
        rest = (held >> np.uint64(missing)) & np.uint64((1 << ((bits - missing) // 8 * 8)) - 1)
        if rest != 0 and rest != np.uint64((1 << ((bits - missing) // 8 * 8)) - 1):
            return False
    while at + 1 < size and (data[at] != 0xFF or data[at + 1] == 0):
        if data[at] != 0 and data[at] != 0xFF:
            return False
        at += 1
    return True
