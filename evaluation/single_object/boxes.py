"""How well boxes fit true ones, frame by frame; boxes are x, y, width, height."""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Values = NDArray[np.float64]


def box_overlaps(boxes: Boxes, truth: Boxes) -> Values:
    """Intersection over union of boxes, both float64 [F, 4]; float64 [F].

    0 where either has no area or a number that is not finite.
    """
    sound = has_area(boxes) & has_area(truth)
    first, second = boxes[sound], truth[sound]
    ends = np.minimum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    common = np.maximum(ends - np.maximum(first[:, :2], second[:, :2]), 0).prod(axis=1)
    overlaps = np.zeros(len(boxes))
    overlaps[sound] = common / (first[:, 2:].prod(axis=1) + second[:, 2:].prod(axis=1) - common)
    # By rounding, a box may overlap itself a little more than wholly, which counts as above 1.
    return np.minimum(overlaps, 1)


def centre_errors(boxes: Boxes, truth: Boxes) -> Values:
    """Distances of the boxes' centres in pixels, float64 [F]; infinite where a number is not finite."""
    return _lengths(_offsets(boxes, truth))


def normalised_centre_errors(boxes: Boxes, truth: Boxes) -> Values:
    """Distances of the centres, across in true widths and down in true heights (TrackingNet, section 4); float64 [F].

    Infinite where the true box has no area or a number is not finite.
    """
    errors = np.full(len(boxes), np.inf)
    sound = has_area(truth)
    errors[sound] = _lengths(_offsets(boxes[sound], truth[sound]) / truth[sound, 2:])
    return errors


def has_area(boxes: Boxes) -> NDArray[np.bool_]:
    """Which boxes [F, 4] are finite and have a width and a height above 0; bool [F]."""
    return np.logical_and(np.isfinite(boxes).all(axis=1), (boxes[:, 2:] > 0).all(axis=1))


def _offsets(boxes: Boxes, truth: Boxes) -> Values:
    return boxes[:, :2] - truth[:, :2] + (boxes[:, 2:] - truth[:, 2:]) / 2


def _lengths(offsets: Values) -> Values:
    lengths: Values = np.hypot(offsets[:, 0], offsets[:, 1])
    return np.where(np.isfinite(lengths), lengths, np.inf)
