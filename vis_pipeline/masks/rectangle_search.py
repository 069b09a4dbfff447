"""How much of a mask a rectangle covers, exactly, and the search for the rectangle that overlaps it best.

A rectangle is its centre x, y, its sides w, h in pixels and the angle in radians from the x axis to w (y points down).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.masks.compiled import compiled

# Steps in pixels.
FINEST = 0.005
MOST_EVALUATIONS = 20_000


def row_sums(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The pixels of a mask [H, W] left of each pixel's border in its row, float64 [H, W + 1]."""
    sums = np.zeros((mask.shape[0], mask.shape[1] + 1))
    np.cumsum(mask, axis=1, out=sums[:, 1:])
    return sums


def parameters(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre x, y, sides w, h and angle of a rectangle with corners [4, 2], clockwise in the image: float64 [5]."""
    (across, down), centre = (box[1] - box[0], box[3] - box[0]), box.mean(axis=0)
    return np.array([*centre, np.hypot(*across), np.hypot(*down), np.arctan2(across[1], across[0])])


@compiled
def corners(rectangle: Any) -> Any:
    """Corners float64 [4, 2], clockwise in the image, of a rectangle [5]."""
    cosine, sine = np.cos(rectangle[4]) / 2, np.sin(rectangle[4]) / 2
    points = np.empty((4, 2))
    for index in range(4):
        across = rectangle[2] if index == 1 or index == 2 else -rectangle[2]
        down = rectangle[3] if index >= 2 else -rectangle[3]
        points[index, 0] = rectangle[0] + across * cosine - down * sine
        points[index, 1] = rectangle[1] + across * sine + down * cosine
    return points


@compiled
def length_along(sums: Any, row: Any, low: Any, high: Any) -> Any:
    """The integral of the mask's length left of x in a row, x from low to high: linear in each pixel."""
    width = sums.shape[1] - 1
    total = max(high - max(low, width), 0.0) * sums[row, width]
    place, end = max(low, 0.0), min(high, width)
    while place < end:
        column = int(place)
        until = min(column + 1.0, end)
        pixel = sums[row, column + 1] - sums[row, column]
        total += (until - place) * (sums[row, column] + pixel * ((place + until) / 2 - column))
        place = until
    return total


@compiled
def covered(sums: Any, points: Any) -> Any:
    """The area of the mask with such row sums inside a polygon [P, 2], clockwise in the image, in square pixels.

    By Green's theorem it is the integral of F dy around the polygon, F the mask's length left of a point in its row.
    F is linear between the borders of pixels, so the sum over the pixels that the outline crosses is exact.
    """
    height, width = sums.shape[0], sums.shape[1] - 1
    area = 0.0
    for index in range(len(points)):
        x, y = points[index - 1, 0], points[index - 1, 1]
        end_x, end_y = points[index, 0], points[index, 1]
        sign = 1.0
        if end_y < y:
            x, y, end_x, end_y, sign = end_x, end_y, x, y, -1.0
        if end_y == y:
            continue
        slope = (end_x - x) / (end_y - y)
        row = max(int(np.floor(y)), 0)
        while row < height and row < end_y:
            top, bottom = max(y, row), min(end_y, row + 1.0)
            one, other = x + slope * (top - y), x + slope * (bottom - y)
            low, high = min(one, other), max(one, other)
            if high - low < 1e-9:
                # So short a way would be divided by; F changes by no more than its length.
                place = min(max((low + high) / 2, 0.0), float(width))
                column = min(int(place), width - 1)
                mean = sums[row, column] + (sums[row, column + 1] - sums[row, column]) * (place - column)
            else:
                mean = length_along(sums, row, low, high) / (high - low)
            area += sign * (bottom - top) * mean
            row += 1
    return area


@compiled
def overlap(sums: Any, rectangle: Any, area: Any, weight: Any) -> Any:
    """Covered / (area of the mask + weight x the rest of the rectangle); -1 for a rectangle without sides."""
    if rectangle[2] <= 0 or rectangle[3] <= 0:
        return -1.0
    inside = covered(sums, corners(rectangle))
    return inside / (area + weight * (rectangle[2] * rectangle[3] - inside))


@compiled
def moved(rectangle: Any, move: Any, step: Any) -> Any:
    """The rectangle [5] after one of nine moves by `step` pixels.

    0 to 3: a side goes out; 4 and 5: it is shifted along its sides; 6 and 7: it grows about its centre; 8: it turns,
    its corners by about the step.
    """
    result = rectangle.copy()
    if move == 8:
        result[4] += 2 * step / np.hypot(rectangle[2], rectangle[3])
        return result
    axis = move % 2
    if move < 4:
        result[2 + axis] += step
        shift = step / 2 if move < 2 else -step / 2
    elif move < 6:
        shift = step
    else:
        result[2 + axis] += 2 * step
        shift = 0.0
    angle = rectangle[4] + (np.pi / 2 if axis == 1 else 0.0)
    result[0] += shift * np.cos(angle)
    result[1] += shift * np.sin(angle)
    return result


@compiled
def climbed(sums: Any, start: Any, area: Any, weight: Any, finest: Any, most: Any) -> Any:
    """From a rectangle [5] uphill (Hooke and Jeeves 1961): the rectangle [5] and its overlap.

    All moves both ways, and once more all the way that a round went; where a round gains nothing the step is halved,
    until it is below the finest or there were too many evaluations.
    """
    best = start.copy()
    value = overlap(sums, best, area, weight)
    step = np.hypot(best[2], best[3]) / 8
    evaluations = 1
    while step >= finest and evaluations < most:
        before = best.copy()
        old = value
        for move in range(9):
            for sign in (1.0, -1.0):
                trial = moved(best, move, sign * step)
                reached = overlap(sums, trial, area, weight)
                evaluations += 1
                if reached > value:
                    best = trial
                    value = reached
                    break
        if value <= old + 1e-9:
            step /= 2
            continue
        trial = 2 * best - before
        reached = overlap(sums, trial, area, weight)
        evaluations += 1
        if reached > value:
            best = trial
            value = reached
    return best, value


def best_of(
    sums: NDArray[np.float64], starts: NDArray[np.float64], area: float, weight: float
) -> tuple[NDArray[np.float64], float]:
    """The best rectangle [5] that is reached from any of the starts [S, 5], and its overlap; the first among equals."""
    found: list[tuple[NDArray[np.float64], float]] = [
        climbed(sums, start, area, weight, FINEST, MOST_EVALUATIONS) for start in starts
    ]
    return max(found, key=lambda end: end[1])
