"""The rotated box of a mask: the minimum-area rectangle of its largest contour (SiamMask 2019, MBR)."""

import cv2
import numpy as np
from numpy.typing import NDArray

SMALLEST_AREA = 100.0


def rotated_box(mask: NDArray[np.bool_], box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Four corners x, y in pixels, float64 [4, 2].

    Args:
        mask: bool [H, W].
        box: x, y, w, h, whose corners are given where the mask's largest contour encloses an area of 100 or less.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea, default=None)
    if largest is None or cv2.contourArea(largest) <= SMALLEST_AREA:
        return corners(box)
    return cv2.boxPoints(cv2.minAreaRect(largest.reshape(-1, 2))).astype(np.float64)


def corners(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners float64 [4, 2] of an upright box x, y, w, h, clockwise in the image from the top left."""
    x, y, w, h = box
    return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], dtype=np.float64)
