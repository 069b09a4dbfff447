"""The protocols' figures frame by frame in plain Python, and made-up sequences to try them on."""

import math
from collections.abc import Sequence

import numpy as np

Row = Sequence[float]


def box_overlap(a: Row, b: Row) -> float:
    if not all(map(math.isfinite, [*a, *b])) or min(a[2], a[3], b[2], b[3]) <= 0:
        return 0.0
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    common = width * height if width > 0 and height > 0 else 0.0
    return common / (a[2] * a[3] + b[2] * b[3] - common)


def curves(boxes: Sequence[Row], truth: Sequence[Row], visible: Sequence[bool]) -> tuple[list, list, list]:
    """Success, precision, normalised precision."""
    hits = [[0] * 21, [0] * 51, [0] * 51]
    for frame, (given, true, shows) in enumerate(zip(boxes, truth, visible, strict=True)):
        if frame == 0:
            given = true
        if not shows:
            continue
        overlap = box_overlap(given, true)
        across = (given[0] + given[2] / 2) - (true[0] + true[2] / 2)
        down = (given[1] + given[3] / 2) - (true[1] + true[3] / 2)
        for step in range(21):
            hits[0][step] += overlap > step * 0.05
        for step in range(51):
            hits[1][step] += np.hypot(across, down) <= step
            hits[2][step] += np.hypot(across / true[2], down / true[3]) <= step / 100
    return tuple([count / len(truth) for count in of_one] for of_one in hits)  # type: ignore[return-value]


def pixels(region: Row, size: tuple[int, int]) -> set[tuple[int, int]]:
    """Pixels of a convex region with whole corners: rectangle rows and columns, or what lies in or on a polygon."""
    columns, rows = size
    if len(region) == 4:
        left, top, width, height = (round(value) for value in region)
        inside = lambda x, y: left <= x < left + width and top <= y < top + height  # noqa: E731
    else:
        corners = [(region[i], region[i + 1]) for i in range(0, 8, 2)]

        def inside(x: int, y: int) -> bool:
            turns = [
                (bx - ax) * (y - ay) - (by - ay) * (x - ax)
                for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True)
            ]
            return all(turn >= 0 for turn in turns) or all(turn <= 0 for turn in turns)

    return {(x, y) for x in range(columns) for y in range(rows) if inside(x, y)}


def eao(runs: Sequence[tuple[Sequence[int], Sequence[float]]], low: int, high: int) -> float:
    """Of runs (codes, overlaps), by the mean over the stretches that have each length."""
    parts = []
    for codes, overlaps in runs:
        part: list[float] | None = None
        for code, overlap in zip(codes, overlaps, strict=True):
            if code == 1:
                part = []
            elif code == 2:
                parts.append((part, True))
                part = None
            elif part is not None:
                part.append(overlap)
        if part is not None:
            parts.append((part, False))
    longest = max(len(part) for part, _ in parts)
    values = []
    for length in range(low, min(high, longest) + 1):
        means = []
        for part, failed in parts:
            if failed or len(part) >= length:
                means.append(sum(part[:length]) / length)
        values.append(sum(means) / len(means))
    return sum(values) / len(values) if values else math.nan


def supervised(generator: np.random.Generator, truth: np.ndarray, failure: float) -> list[list[float]]:
    """Rows of a run: near the truth (boxes), failing at random, started anew after five frames."""
    rows: list[list[float]] = []
    start = 0
    for frame, box in enumerate(truth):
        if frame < start:
            rows.append([0])
        elif frame == start:
            rows.append([1])
        elif generator.random() < failure:
            rows.append([2])
            start = frame + 5
        else:
            moved = box + generator.normal(0, 3, 4)
            rows.append([*moved[:2], *np.maximum(moved[2:], 4)])
    return rows


def walk(generator: np.random.Generator, frames: int, size: tuple[int, int]) -> np.ndarray:
    """True boxes that wander, [F, 4], now and then over the image's edge."""
    steps = generator.normal(0, 3, (frames, 2)).cumsum(axis=0)
    corners = np.array(size) / 3 + steps
    return np.round(np.hstack([corners, generator.uniform(15, 40, (frames, 2))]), 2)


def by_attribute(  # noqa: C901
    sequences: Sequence[tuple[Sequence[tuple[Sequence[int], Sequence[float]]], Sequence[bool]]], low: int, high: int
) -> dict[str, float]:
    """Figures of sequences, each its runs (codes, overlaps) and whether each frame has the attribute."""
    counted: list[float] = []
    failures = 0.0
    parts: list[tuple[list[float], bool, float]] = []
    for runs, tags in sequences:
        for codes, overlaps in runs:
            start = -99
            inside: list[float] | None = None
            labels: list[bool] = []
            for frame, (code, overlap, tag) in enumerate(zip(codes, overlaps, tags, strict=True)):
                if code == 1:
                    start, inside, labels = frame, [], []
                if code == 2:
                    failures += tag / len(runs)
                    assert inside is not None
                    parts.append((inside, True, sum(labels) / len(labels)))
                    inside = None
                if code == -1 and tag and frame - start >= 10:
                    counted.append(overlap)
                if inside is not None and code in (-1, 1):
                    labels.append(tag)
                    if code == -1:
                        inside.append(overlap)
            if inside is not None:
                parts.append((inside, False, sum(labels) / len(labels)))
    parts = [part for part in parts if part[2] > 0]
    values = []
    # A stretch of n overlaps after its start is n + 1 frames long.
    for length in range(low, min(high, max((len(part) for part, _, _ in parts), default=-1)) + 1):
        able = [
            (sum(part[:length]) / length, weight) for part, failed, weight in parts if failed or len(part) >= length
        ]
        values.append(sum(mean * weight for mean, weight in able) / sum(weight for _, weight in able))
    return {
        "frames": float(sum(sum(tags) for _, tags in sequences)),
        "accuracy": sum(counted) / len(counted) if counted else math.nan,
        "failures": failures,
        "EAO": sum(values) / len(values) if values else math.nan,
    }
