"""Shapes: their scale, their place, and that no two can be taken for one another."""

from itertools import combinations

import numpy as np
import pytest

from vis_pipeline.synthesis.procedural.layers import Window, coverage, outline_area
from vis_pipeline.synthesis.procedural.shapes import CATEGORY_NAMES, extent, outline


def covers(contours, points):
    """Even-odd rule by casting a ray to the right from each point: bool [P]."""
    crossings = np.zeros(len(points), dtype=int)
    for contour in contours:
        for (x1, y1), (x2, y2) in zip(contour, np.roll(contour, -1, axis=0), strict=True):
            if y1 == y2:
                continue
            between = (points[:, 1] >= min(y1, y2)) & (points[:, 1] < max(y1, y2))
            crossings += between & (x1 + (points[:, 1] - y1) * (x2 - x1) / (y2 - y1) > points[:, 0])
    return crossings % 2 == 1


def grid(half_side, count):
    axis = (np.arange(count) + 0.5) / count * 2 * half_side - half_side
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def test_there_are_eight_categories():
    assert len(set(CATEGORY_NAMES)) == 8


@pytest.mark.parametrize("name", CATEGORY_NAMES)
def test_outline_has_unit_area_about_its_centroid(name):
    half_side = extent(name) + 0.05
    points = grid(half_side, 160)
    inside = covers(outline(name), points)
    assert inside.mean() * (2 * half_side) ** 2 == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(points[inside].mean(axis=0), 0, atol=0.01)
    assert outline_area(outline(name)) == pytest.approx(1.0, abs=1e-5)


def test_shapes_differ_however_they_are_turned():
    points = grid(1.4, 44)
    turned = {}
    for name in CATEGORY_NAMES:
        views = []
        for angle in np.arange(0, 2 * np.pi, np.pi / 18):
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            views.append(covers(tuple(contour @ turn.T for contour in outline(name)), points))
        turned[name] = np.array(views, dtype=float)
    for first, second in combinations(CATEGORY_NAMES, 2):
        intersections = turned[first] @ turned[second][0]
        unions = turned[first].sum(axis=1) + turned[second][0].sum() - intersections
        assert (intersections / unions).max() < 0.86, (first, second)


@pytest.mark.parametrize("name", ["ring", "star"])
def test_coverage_is_the_covered_part_of_each_pixel(name):
    contours = tuple(contour * 9.3 + [12.4, 10.8] for contour in outline(name))
    window = Window(3, 2, 20, 19)
    samples = (np.arange(16) + 0.5) / 16 - 0.5
    expected = np.zeros((17, 17))
    for row, column in np.ndindex(17, 17):
        x, y = np.meshgrid(column + 3 + samples, row + 2 + samples)
        expected[row, column] = covers(contours, np.stack([x.ravel(), y.ravel()], axis=1)).mean()
    actual = coverage(contours, window)
    perimeter = sum(np.linalg.norm(contour - np.roll(contour, -1, axis=0), axis=1).sum() for contour in contours)
    assert np.abs(actual - expected).max() < 0.3
    assert 0 <= actual.sum() - expected.sum() < 0.15 * perimeter
