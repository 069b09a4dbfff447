"""How far boxes are from each other (section 3.3): by centre, width and height, in units of the image's size."""

import numpy as np
from numpy.typing import NDArray

SIDES = 4


def centred(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre x, y, width and height, float64 [N, 4], of boxes x1, y1, x2, y2, [N, 4]; pixels."""
    corners, opposite = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(corners + opposite) / 2, opposite - corners], axis=1)


def differences(
    first: NDArray[np.float64], second: NDArray[np.float64], size: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Absolute differences of centred boxes, last axis 4, each divided by the image's extent, `size` [2], along it."""
    return np.asarray(np.abs(first - second) / np.concatenate([size, size]))


def spatial_distances(
    first: NDArray[np.float64], second: NDArray[np.float64], size: NDArray[np.float64]
) -> NDArray[np.float64]:
    """L-infinity distances, float64 [N, M], of centred boxes [N, 4] and [M, 4]; `size` [2] is the image's, w and h."""
    return np.asarray(differences(first[:, None], second[None], size).max(axis=2))


def location_costs(
    boxes: NDArray[np.float64], other: NDArray[np.float64], size: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean of the four differences, float64 [N], between centred boxes [N, 4] and another one [4]; `size` as above."""
    return np.asarray(differences(boxes, other, size).sum(axis=1) / SIDES)
