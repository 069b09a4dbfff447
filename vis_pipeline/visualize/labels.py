"""Where labels go: near their objects, inside the frame, not on one another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MAX_SHIFTS = 3


@dataclass(frozen=True)
class PlacedLabel:
    """The top-left corner of one label in pixels, and which of its wordings (0: the first, fullest) fits there."""

    x: int
    y: int
    wording: int


def place_labels(
    boxes: NDArray[np.float64],
    sizes: Sequence[Sequence[tuple[int, int]]],
    frame_size: tuple[int, int],
    reserved: Sequence[tuple[int, int, int, int]] = (),
) -> list[PlacedLabel | None]:
    """Place one label for each box, in the order given: the earlier choose first.

    `boxes` is [N, 4] as x, y, w, h in pixels; `sizes[i]` lists the (width, height) of label i's wordings, the fullest
    first; `frame_size` is (height, width); `reserved` holds areas x, y, w, h to keep free. None means that every place
    near the box is taken, even for the shortest wording.
    """
    taken = [tuple(map(float, area)) for area in reserved]
    placed: list[PlacedLabel | None] = []
    for box, wordings in zip(boxes, sizes, strict=True):
        label = _first_free(box, wordings, frame_size, np.array(taken).reshape(-1, 4))
        placed.append(label)
        if label is not None:
            taken.append((label.x, label.y, *wordings[label.wording]))
    return placed


def _first_free(
    box: NDArray[np.float64],
    wordings: Sequence[tuple[int, int]],
    frame_size: tuple[int, int],
    taken: NDArray[np.float64],
) -> PlacedLabel | None:
    for wording, (width, height) in enumerate(wordings):
        for x, y in _candidates(box, width, height, frame_size):
            if not _overlaps(x, y, width, height, taken):
                return PlacedLabel(x, y, wording)
    return None


def _candidates(
    box: NDArray[np.float64], width: int, height: int, frame_size: tuple[int, int]
) -> Iterator[tuple[int, int]]:
    """Above the box, below it, inside it, beside it, then a few label heights further up and down."""
    x, y, w, h = (float(value) for value in box)
    bottom = y + h
    left, centre, right = x, x + (w - width) / 2, x + w - width
    rows = [y - height, bottom, y, bottom - height]
    places = [(column, row) for row in rows[:2] for column in (left, centre, right)]
    places = [place for place in places if 0 <= place[1] <= frame_size[0] - height]
    places += [(left, rows[2]), (centre, y + (h - height) / 2), (left, rows[3]), (x + w, y), (x - width, y)]
    for shift in range(1, _MAX_SHIFTS + 1):
        places += [(left, y - (shift + 1) * height), (left, y + shift * height), (left, bottom + shift * height)]
    for place_x, place_y in places:
        yield (
            round(min(max(place_x, 0), max(frame_size[1] - width, 0))),
            round(min(max(place_y, 0), max(frame_size[0] - height, 0))),
        )


def _overlaps(x: int, y: int, width: int, height: int, taken: NDArray[np.float64]) -> bool:
    return bool(
        np.any(
            (taken[:, 0] < x + width)
            & (x < taken[:, 0] + taken[:, 2])
            & (taken[:, 1] < y + height)
            & (y < taken[:, 1] + taken[:, 3])
        )
    )
