"""Where labels go: at their objects, inside the frame, never on one another, and from frame to frame where they were.

Each label has a home, the place right above its box (below it at the frame's upper edge, inside it where neither is in
the frame). In order of rank each takes the free place nearest to home, first of those that touch its box, then of the
whole frame. What was in the frame before holds it back: at home it lags behind on a short leash, and so does not
tremble with its object's outline; away from home it stays as near as it can to where it was until home is free. Among
unmoved boxes no label moves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Full labels may cover so much of the frame in all, where all objects are seen at once.
_MOST_COVERED = 0.1
# A box smaller than so many times its own label has only the short one, and no label on itself.
_SMALL_BOX = 2.0
# How far a label lags behind its home, in heights of it.
_LEASH = 0.25
_FIRST_REACH = 64
_ANYWHERE = (-math.inf, -math.inf, math.inf, math.inf)


@dataclass(frozen=True)
class PlacedLabel:
    """The top-left corner of one label in pixels, and which of its wordings (0: the first, fullest) is there."""

    x: int
    y: int
    wording: int


def room_for_full(
    sizes: Sequence[tuple[int, int]], boxes: NDArray[np.float64], frame_size: tuple[int, int]
) -> NDArray[np.bool_]:
    """For which of N objects of a video the full label is worth its place, bool [N]; decided once, so that it stays.

    Nobody has one where, in the fullest frame, they would hide the picture; an object that is mostly smaller than that
    has none.

    Args:
        sizes: (width, height) in pixels of the N full labels.
        boxes: x, y, w, h in pixels in each of T frames, [T, N, 4]; w and h are 0 where the object is not seen.
        frame_size: (height, width) in pixels.
    """
    label_areas = np.array([width * height for width, height in sizes], dtype=np.float64)
    areas = boxes[..., 2] * boxes[..., 3]
    seen = areas > 0
    if not seen.any() or (seen @ label_areas).max() > _MOST_COVERED * frame_size[0] * frame_size[1]:
        return np.zeros(len(label_areas), dtype=np.bool_)
    usual = np.array(
        [np.median(area[there]) if there.any() else 0.0 for area, there in zip(areas.T, seen.T, strict=True)]
    )
    return np.asarray(usual >= _SMALL_BOX * label_areas)


def place_labels(
    boxes: NDArray[np.float64],
    sizes: Sequence[Sequence[tuple[int, int]]],
    frame_size: tuple[int, int],
    reserved: Sequence[tuple[int, int, int, int]] = (),
    before: Sequence[PlacedLabel | None] | None = None,
) -> list[PlacedLabel | None]:
    """Place one label for each box, in the order given: the earlier choose first.

    A label goes where it touches its box; only the last wording may go elsewhere in the frame, where there is room.

    Args:
        boxes: [N, 4] as x, y, w, h in pixels.
        sizes: of each label the (width, height) of its wordings, the fullest first.
        frame_size: (height, width) in pixels.
        reserved: areas x, y, w, h to keep free.
        before: where the N labels were in the preceding frame, None for one that was not there.

    Returns:
        Places inside the frame, on no other label and on no reserved area; None only if no place in the whole frame is
        free for the last wording.
    """
    taken = [*reserved]
    placed: list[PlacedLabel | None] = []
    earlier: Sequence[PlacedLabel | None] = [None] * len(boxes) if before is None else before
    for box, wordings, was in zip(boxes, sizes, earlier, strict=True):
        label = _placed(box, wordings, frame_size, taken, was)
        placed.append(label)
        if label is not None:
            taken.append((label.x, label.y, *wordings[label.wording]))
    return placed


def nearest_free(
    target: tuple[float, float],
    size: tuple[int, int],
    frame_size: tuple[int, int],
    taken: Sequence[tuple[int, int, int, int]],
    within: tuple[float, float, float, float] = _ANYWHERE,
) -> tuple[int, int] | None:
    """The top-left corner (x, y) nearest to `target` where a label of `size` (width, height) covers no taken area.

    The corner lies between the first and the last x and y of `within` (x, y, x, y). Of equally near ones it is the
    upper, then the left one. None if there is no such place in the frame.
    """
    first_column, first_row = (math.ceil(max(start, 0)) for start in within[:2])
    last_column = min(within[2], frame_size[1] - size[0])
    last_row = min(within[3], frame_size[0] - size[1])
    if last_row < first_row or last_column < first_column:
        return None
    columns, rows = math.floor(last_column) + 1, math.floor(last_row) + 1
    x, y = min(max(target[0], first_column), columns - 1), min(max(target[1], first_row), rows - 1)
    areas = np.array(taken, dtype=np.int64).reshape(-1, 4)
    reach = _FIRST_REACH
    while True:
        left, top = max(int(x) - reach, first_column), max(int(y) - reach, first_row)
        right, bottom = min(int(x) + reach + 1, columns), min(int(y) + reach + 1, rows)
        free = np.ones((bottom - top, right - left), dtype=np.bool_)
        # The corners of labels that would cover an area, in the window.
        starts = np.maximum(areas[:, :2] - [size[0] - 1, size[1] - 1] - [left, top], 0)
        ends = areas[:, :2] + areas[:, 2:] - [left, top]
        reaching = (ends > 0).all(axis=1) & (starts < [right - left, bottom - top]).all(axis=1)
        for (start_x, start_y), (end_x, end_y) in zip(starts[reaching].tolist(), ends[reaching].tolist(), strict=True):
            free[start_y:end_y, start_x:end_x] = False
        distances = np.square(np.arange(top, bottom) - y)[:, None] + np.square(np.arange(left, right) - x)
        row, column = divmod(int(np.argmin(np.where(free, distances, np.inf))), right - left)
        whole = free.shape == (rows - first_row, columns - first_column)
        # Beyond the window everything is farther than `reach`, less a pixel for the target's fraction.
        if free[row, column] and (whole or distances[row, column] <= (reach - 1) ** 2):
            return left + column, top + row
        if whole:
            return None
        reach *= 4


def gap(box: NDArray[np.float64], place: PlacedLabel, size: tuple[int, int]) -> float:
    """How far in pixels a label of `size` (width, height) is from its box x, y, w, h; 0 where they touch."""
    x, y, w, h = (float(value) for value in box)
    across = max(x - (place.x + size[0]), place.x - (x + w), 0.0)
    down = max(y - (place.y + size[1]), place.y - (y + h), 0.0)
    return float(np.hypot(across, down))


def _placed(
    box: NDArray[np.float64],
    wordings: Sequence[tuple[int, int]],
    frame_size: tuple[int, int],
    taken: Sequence[tuple[int, int, int, int]],
    before: PlacedLabel | None,
) -> PlacedLabel | None:
    x, y, w, h = (float(value) for value in box)
    own = (round(x), round(y), max(round(w), 1), max(round(h), 1))
    for wording, size in enumerate(wordings):
        slack = _LEASH * size[1]
        touching = (x - size[0] - slack, y - size[1] - slack, x + w + slack, y + h + slack)
        hides_it = w * h < _SMALL_BOX * size[0] * size[1]
        choices = [(touching, [*taken, own] if hides_it else taken)]
        if wording == len(wordings) - 1:
            choices += [(_ANYWHERE, [*taken, own]), (_ANYWHERE, taken)]
        for within, covered in choices:
            home = _home(box, size, frame_size)
            place = nearest_free(_leashed(home, before, slack), size, frame_size, covered, within)
            # A pixel more: places are whole pixels.
            if before is not None and place is not None and math.dist(place, home) > slack + 1:
                place = nearest_free((before.x, before.y), size, frame_size, covered, within)
            if place is not None:
                return PlacedLabel(*place, wording)
    return None


def _leashed(home: tuple[float, float], before: PlacedLabel | None, leash: float) -> tuple[float, float]:
    """The point nearest to where the label was at most `leash` pixels from home."""
    if before is None:
        return home
    across, down = before.x - home[0], before.y - home[1]
    share = min(1.0, leash / max(float(np.hypot(across, down)), 1e-9))
    return home[0] + share * across, home[1] + share * down


def _home(box: NDArray[np.float64], size: tuple[int, int], frame_size: tuple[int, int]) -> tuple[float, float]:
    """Above the box, at its left; below it where that is outside of the frame; else inside it."""
    x, y, _, h = (float(value) for value in box)
    rows = (y - size[1], y + h, y)
    inside = (row for row in rows if 0 <= row <= frame_size[0] - size[1])
    return min(max(x, 0.0), max(frame_size[1] - size[0], 0.0)), next(inside, 0.0)
