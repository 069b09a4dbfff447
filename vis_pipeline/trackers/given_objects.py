"""Several objects of a video that are given where they begin: how, and what comes of following them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.single_object import require_overlap

Beginning = NDArray[np.bool_] | NDArray[np.float64]
"""How an object is given: its mask, bool [H, W], or its box x, y, w, h, float64 [4], in image pixels."""


@dataclass(frozen=True)
class LabelledFrame:
    """What is where in one frame.

    Attributes:
        labels: uint8 [H, W], the number of the object that a pixel is of, 0 for none.
    """

    frame: Frame
    labels: NDArray[np.uint8]


def first_boxes(frame: Frame, begun: Mapping[int, Beginning]) -> dict[int, NDArray[np.float64]]:
    """The boxes of the objects that begin in a frame, x, y, w, h, float64 [4], in the order of their numbers.

    Of a mask it is the Min-max box, as in SiamMask's release.

    Raises:
        DataError: a mask is empty or of another size than the frame, or a box lies outside it; the object is named.
    """
    return {number: _first_box(frame, number, begun[number]) for number in sorted(begun)}


def draw_given(labels: NDArray[np.uint8], begun: Mapping[int, Beginning]) -> None:
    """Put the masks that are given of objects on a label map [H, W], that of the lowest number on top."""
    for number, beginning in sorted(begun.items(), reverse=True):
        if beginning.ndim == 2:
            labels[beginning.astype(np.bool_)] = number


def _first_box(frame: Frame, number: int, beginning: Beginning) -> NDArray[np.float64]:
    if beginning.ndim == 1:
        box = beginning.astype(np.float64)
        try:
            require_overlap(frame, box)
        except DataError as error:
            raise DataError(f"object {number}: {error}") from error
        return box
    height, width = frame.image.shape[:2]
    if beginning.shape != (height, width):
        rows, columns = beginning.shape
        raise DataError(f"object {number}: its mask is {columns}x{rows}, frame {frame.name} is {width}x{height}")
    if not beginning.any():
        raise DataError(f"object {number}: its mask in frame {frame.name}, where it begins, has no pixel")
    return np.asarray(masks.bounding_boxes(masks.encode(beginning.astype(np.bool_)[None]))[0], dtype=np.float64)
