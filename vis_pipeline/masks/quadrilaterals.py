"""Boxes that are turned: four corners x, y in pixels, and how much two of them overlap."""

import numpy as np
from numpy.typing import NDArray


def polygon_area(points: NDArray[np.float64]) -> float:
    """Area of a polygon float64 [P, 2] in square pixels, either way round; 0 for fewer than three points."""
    x, y = points.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def upright_corners(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners float64 [4, 2] of the smallest upright box around points [P, 2], clockwise from the top left."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float64)


def clipped(polygon: NDArray[np.float64], convex: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of a polygon [P, 2] that lies inside a convex one [Q, 2], by half-planes (Sutherland and Hodgman 1974).

    Exact up to rounding. Float64 [R, 2], R 0 where they share nothing.
    """
    following = np.roll(convex, -1, axis=0)
    clockwise = convex[:, 0] @ following[:, 1] - convex[:, 1] @ following[:, 0] > 0
    inside_is = 1.0 if clockwise else -1.0
    for start, end in zip(convex, following, strict=True):
        if len(polygon) == 0:
            break
        (x, y), along = (polygon - start).T, end - start
        depth = inside_is * (along[0] * y - along[1] * x)
        kept: list[NDArray[np.float64]] = []
        for index in range(len(polygon)):
            here, there = depth[index - 1], depth[index]
            if (here >= 0) != (there >= 0):
                kept.append(polygon[index - 1] + here / (here - there) * (polygon[index] - polygon[index - 1]))
            if there >= 0:
                kept.append(polygon[index])
        polygon = np.array(kept, dtype=np.float64).reshape(-1, 2)
    return polygon


def quadrilateral_iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """IoU of two quadrilaterals [4, 2], the second of them convex; 0 for two without area."""
    areas = polygon_area(first) + polygon_area(second)
    common = polygon_area(clipped(first, second))
    return common / (areas - common) if areas > common else 0.0
