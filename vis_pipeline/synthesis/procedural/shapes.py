"""The eight shape families, as outlines of unit area about their centroid."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Contours = tuple[NDArray[np.float64], ...]

CATEGORY_NAMES = ("disc", "ring", "square", "triangle", "star", "cross", "crescent", "arrow")


@cache
def outline(name: str) -> Contours:
    """Closed contours of a shape, float64 [P, 2] each (x right, y down), area 1, centroid at the origin.

    A second contour is a hole. Edges are sampled densely, so that a contour can be bent point by point.
    """
    contours = _raw_outline(name)
    areas, centroids = zip(*(_area_and_centroid(contour) for contour in contours), strict=True)
    weights = np.array([areas[0], *(-area for area in areas[1:])])
    centroid = weights @ np.array(centroids) / weights.sum()
    return tuple((contour - centroid) / np.sqrt(weights.sum()) for contour in contours)


@cache
def extent(name: str) -> float:
    """Largest distance of the unit-area outline from its centroid."""
    return float(max(np.linalg.norm(contour, axis=1).max() for contour in outline(name)))


def _raw_outline(name: str) -> Contours:
    if name == "disc":
        return (_arc(1.0, 0.0, 2 * np.pi, 72),)
    if name == "ring":
        return (_arc(1.0, 0.0, 2 * np.pi, 72), _arc(0.55, 0.0, 2 * np.pi, 56))
    if name == "square":
        return (_densify([(-1, -1), (1, -1), (1, 1), (-1, 1)]),)
    if name == "triangle":
        return (_densify(_arc(1.0, 0.0, 2 * np.pi, 3)),)
    if name == "star":
        radii = np.where(np.arange(10) % 2 == 0, 1.0, 0.42)
        return (_densify(_arc(1.0, 0.0, 2 * np.pi, 10) * radii[:, None]),)
    if name == "cross":
        arm = 0.32
        quarter = [(arm, -1.0), (arm, -arm), (1.0, -arm)]
        turns = [(x * c - y * s, x * s + y * c) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1)) for x, y in quarter]
        return (_densify(turns),)
    if name == "crescent":
        return (_crescent(inner_radius=0.8, shift=0.52),)
    if name == "arrow":
        points = [(1.0, 0), (0.1, -0.75), (0.1, -0.28), (-1.0, -0.28), (-1.0, 0.28), (0.1, 0.28), (0.1, 0.75)]
        return (_densify(points),)
    raise KeyError(name)


def _arc(radius: float, start: float, stop: float, count: int) -> NDArray[np.float64]:
    angles = np.linspace(start, stop, count, endpoint=False)
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _crescent(inner_radius: float, shift: float) -> NDArray[np.float64]:
    """A unit disc less a disc of `inner_radius` whose centre is `shift` to the right."""
    tip_x = (1 - inner_radius**2 + shift**2) / (2 * shift)
    outer_tip = np.arccos(tip_x)
    inner_tip = np.arccos((tip_x - shift) / inner_radius)
    outer = _arc(1.0, outer_tip, 2 * np.pi - outer_tip, 56)
    inner = np.array([shift, 0.0]) + _arc(inner_radius, 2 * np.pi - inner_tip, inner_tip, 40)
    return np.concatenate([outer, inner])


def _densify(corners: ArrayLike, per_edge: int = 8) -> NDArray[np.float64]:
    start = np.array(corners, dtype=np.float64)
    steps = np.arange(per_edge)[None, :, None] / per_edge
    return (start[:, None] + steps * (np.roll(start, -1, axis=0) - start)[:, None]).reshape(-1, 2)


def _area_and_centroid(contour: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    following = np.roll(contour, -1, axis=0)
    cross = contour[:, 0] * following[:, 1] - contour[:, 1] * following[:, 0]
    area = cross.sum() / 2
    return abs(float(area)), ((contour + following) * cross[:, None]).sum(axis=0) / (6 * area)
