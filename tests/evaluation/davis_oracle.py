"""J, F and their statistics, slow and literal: pixel by pixel from the benchmark's definitions."""

import math

import numpy as np

Pixel = tuple[int, int]


def pixels_of(mask: np.ndarray) -> set[Pixel]:
    return {(int(y), int(x)) for y, x in np.argwhere(mask)}


def jaccard(prediction: np.ndarray, truth: np.ndarray, void: np.ndarray | None = None) -> float:
    hidden = set() if void is None else pixels_of(void)
    predicted, true = pixels_of(prediction) - hidden, pixels_of(truth) - hidden
    return len(predicted & true) / len(predicted | true) if predicted | true else 1.0


def boundary_pixels(mask: np.ndarray) -> list[Pixel]:
    height, width = mask.shape
    inside = pixels_of(mask)
    # All others lie beside pixels like themselves.
    candidates = {(y - up, x - left) for y, x in inside for up in (0, 1) for left in (0, 1)}
    boundary = []
    for y, x in candidates:
        if y == height - 1:
            neighbours = [(y, x + 1)] if x < width - 1 else []
        elif x == width - 1:
            neighbours = [(y + 1, x)]
        else:
            neighbours = [(y, x + 1), (y + 1, x), (y + 1, x + 1)]
        within = y >= 0 and x >= 0
        if within and any((neighbour in inside) != ((y, x) in inside) for neighbour in neighbours):
            boundary.append((y, x))
    return boundary


def share_near(pixels: list[Pixel], others: list[Pixel], radius: int) -> float:
    rows, columns = np.array(others).T
    near = [((rows - y) ** 2 + (columns - x) ** 2).min() <= radius**2 for y, x in pixels]
    return sum(near) / len(pixels)


def f_measure(prediction: np.ndarray, truth: np.ndarray, void: np.ndarray | None = None) -> float:
    if void is not None:
        prediction, truth = prediction & ~void, truth & ~void
    predicted, true = boundary_pixels(prediction), boundary_pixels(truth)
    if not predicted or not true:
        return 1.0 if not predicted and not true else 0.0
    height, width = truth.shape
    radius = math.ceil(0.008 * math.sqrt(height**2 + width**2))
    precision, recall = share_near(predicted, true, radius), share_near(true, predicted, radius)
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def mean_recall_decay(values: list[float]) -> tuple[float, float, float]:
    """The quarters in the words of the first release: four bins between five rounded, 1-based ends, both inclusive."""
    ends = [math.floor(1 + (len(values) - 1) * quarter / 4 + 0.5) for quarter in range(5)]
    bins = [values[ends[quarter] - 1 : ends[quarter + 1]] for quarter in range(4)]
    means = [sum(part) / len(part) for part in bins]
    return sum(values) / len(values), sum(value > 0.5 for value in values) / len(values), means[0] - means[3]
