"""Masks as polygons along the edges of their pixels, which give the same masks back bit for bit.

A corner at (x, y) is the top left corner of pixel (x, y). Filled by the even-odd rule and tested at the centres of
pixels, as pycocotools does, a polygon is its mask again. Holes, which these forms lack, are joined to their outline
by a seam: a line gone along twice, there and back, that encloses nothing.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Ring: TypeAlias = list[tuple[int, int]]
"""Corners x, y in turn, clockwise as seen; those of a hole are anticlockwise."""

_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
# By direction (right, down, left, up): where on a pixel the edge begins that has the pixel on its right-hand side.
_BEGINNINGS = ((0, 0), (1, 0), (1, 1), (0, 1))


def polygons(mask: NDArray[np.bool_]) -> list[Ring]:
    """One polygon for each part of a mask [H, W] that hangs together by pixel edges, its holes joined by seams."""
    if not mask.any():
        return []
    _, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    outlines: dict[int, list[Ring]] = {}
    for ring, pixel in _rings(mask):
        outlines.setdefault(int(parts[pixel]), []).append(ring)
    return [joined(_outer_first(rings)) for _, rings in sorted(outlines.items())]


def joined(rings: Sequence[Ring]) -> Ring:
    """Rings as one, by a seam from each to the nearest corner of those before it."""
    whole = list(rings[0])
    for ring in rings[1:]:
        here, there = np.array(whole), np.array(ring)
        apart = np.abs(here[:, None] - there[None]).sum(axis=2)
        at, start = divmod(int(apart.argmin()), len(there))
        around = ring[start:] + ring[: start + 1]
        whole[at : at + 1] = [whole[at], *around, whole[at]]
    return whole


def flat(rings: Iterable[Ring]) -> list[list[float]]:
    """The polygons as COCO has them: x, y, x, y, ... each."""
    return [[float(value) for corner in ring for value in corner] for ring in rings]


def _outer_first(rings: list[Ring]) -> list[Ring]:
    """A part has one outline, which encloses its holes: the largest ring."""
    return sorted(rings, key=lambda ring: -abs(_area(ring)))


def _area(ring: Ring) -> float:
    corners = np.array(ring, dtype=np.float64)
    following = np.roll(corners, -1, axis=0)
    return float((corners[:, 0] * following[:, 1] - following[:, 0] * corners[:, 1]).sum() / 2)


def _rings(mask: NDArray[np.bool_]) -> list[tuple[Ring, tuple[int, int]]]:
    """Every outline and hole, each with the row and column of a pixel on its inner side."""
    edges = _edges(mask)
    rings = []
    while edges:
        start = next(iter(edges))
        direction = edges[start][0]
        beginning = _BEGINNINGS[direction]
        pixel = (start[1] - beginning[1], start[0] - beginning[0])
        rings.append((_ring(edges, start, direction), pixel))
    return rings


def _ring(edges: dict[tuple[int, int], list[int]], start: tuple[int, int], direction: int) -> Ring:
    """Go along the edges from `start` until they come back to it, and take them away."""
    ring: Ring = []
    at, before = start, -1
    while True:
        here = edges[at]
        if before >= 0:
            # Where two pixels touch by their corners, each keeps its own outline: the turn is to the right.
            right = (before + 1) % 4
            direction = right if right in here else here[0]
        here.remove(direction)
        if not here:
            del edges[at]
        if direction != before:
            ring.append(at)
        before = direction
        at = (at[0] + _STEPS[direction][0], at[1] + _STEPS[direction][1])
        if at == start:
            return ring


def _edges(mask: NDArray[np.bool_]) -> dict[tuple[int, int], list[int]]:
    """The directions of the pixel edges between mask and background that begin at each corner."""
    padded = np.pad(mask, 1)
    above, beyond, below, before = padded[:-2, 1:-1], padded[1:-1, 2:], padded[2:, 1:-1], padded[1:-1, :-2]
    edges: dict[tuple[int, int], list[int]] = {}
    for direction, neighbours in enumerate((above, beyond, below, before)):
        x, y = _BEGINNINGS[direction]
        rows, columns = np.nonzero(mask & ~neighbours)
        for corner in zip((columns + x).tolist(), (rows + y).tolist(), strict=True):
            edges.setdefault(corner, []).append(direction)
    return edges
