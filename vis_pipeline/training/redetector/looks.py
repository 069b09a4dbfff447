"""How a frame is changed before the detector sees it: mirrored, enlarged, in another light, grey, blurred by motion."""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vis_pipeline.training.redetector.settings import LookSettings

Image = NDArray[np.uint8]

LEAST_SIDE = 4.0
LEAST_SHARE = 0.4
"""An object of which less than this share of its box is left in the frame, or a side of fewer pixels, is not there."""


@dataclass(frozen=True)
class Look:
    """What is done to a frame, in this order.

    Attributes:
        flip: mirrored left to right.
        scale: enlarged by this factor; `centre`, in shares of width and height, stays where it is.
        gamma: grey level v becomes 255 (v / 255) ** gamma.
        grey: loses its colour.
        blur: length in pixels and angle in radians of a motion; a length of 1 leaves it sharp.
    """

    flip: bool = False
    scale: float = 1.0
    centre: tuple[float, float] = (0.5, 0.5)
    gamma: float = 1.0
    grey: bool = False
    blur: tuple[int, float] = (1, 0.0)


def draw_look(flip: bool, settings: LookSettings, rng: Generator) -> Look:
    """The look of one frame of a video that is mirrored or not."""
    if rng.random() < settings.plain:
        return Look(flip)
    length = int(rng.integers(3, max(settings.longest_blur, 3) + 1)) if rng.random() < settings.blur else 1
    return Look(
        flip=flip,
        scale=math.exp(rng.uniform(*np.log(settings.scale))),
        centre=(float(rng.random()), float(rng.random())),
        gamma=math.exp(rng.uniform(-1, 1) * math.log(settings.gamma)),
        grey=bool(rng.random() < settings.grey),
        blur=(length, float(rng.uniform(0, math.pi))),
    )


def changed_image(image: Image, look: Look) -> Image:
    """A frame, uint8 [H, W, 3] BGR, of the same size; what a smaller scale leaves free has its mean colour."""
    height, width = image.shape[:2]
    result: NDArray[Any] = image[:, ::-1] if look.flip else image
    if look.scale != 1:
        offset = (1 - look.scale) * np.array(look.centre) * [width, height]
        # OpenCV's coordinates are those of pixel centres.
        shift = offset + (look.scale - 1) / 2
        matrix = np.array([[look.scale, 0, shift[0]], [0, look.scale, shift[1]]])
        mean = tuple(float(value) for value in image.mean((0, 1)))
        result = cv2.warpAffine(np.ascontiguousarray(result), matrix, (width, height), borderValue=mean)
    if look.gamma != 1:
        table = np.rint(255 * (np.arange(256) / 255) ** look.gamma).astype(np.uint8)
        result = table[result]
    if look.grey:
        result = cv2.cvtColor(cv2.cvtColor(np.ascontiguousarray(result), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if look.blur[0] > 1:
        result = cv2.filter2D(np.ascontiguousarray(result), -1, motion_kernel(*look.blur))
    return np.ascontiguousarray(result)


def motion_kernel(length: int, angle: float) -> NDArray[np.float64]:
    """A line of `length` pixels through the middle of a square, summing to 1."""
    side = length | 1
    kernel = np.zeros((side, side), np.uint8)
    reach = (length - 1) / 2 * np.array([math.cos(angle), math.sin(angle)])
    ends = np.rint((side // 2 + np.stack([-reach, reach])) * 16).astype(int)
    cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), (255,), lineType=cv2.LINE_AA, shift=4)
    return np.asarray(kernel / kernel.sum(), dtype=np.float64)


def changed_boxes(
    boxes: NDArray[np.float64], size: tuple[int, int], look: Look
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Where boxes are in the changed frame, cut at it.

    Args:
        boxes: float64 [N, 4], x1, y1, x2, y2 in pixels.
        size: height and width of the frame.
        look: what was done to it.

    Returns:
        The boxes [N, 4], and which of them still show their object, bool [N].
    """
    height, width = size
    limit = np.array([width, height, width, height], dtype=np.float64)
    moved = boxes.copy()
    if look.flip:
        moved[:, [0, 2]] = width - moved[:, [2, 0]]
    centre = np.array([*look.centre, *look.centre])
    moved = moved * look.scale + (1 - look.scale) * centre * limit
    cut = np.clip(moved, 0, limit)
    whole, left = (moved[:, 2:] - moved[:, :2]), (cut[:, 2:] - cut[:, :2])
    shown = (left.prod(1) >= LEAST_SHARE * whole.prod(1)) & (left >= LEAST_SIDE).all(1)
    return cut, shown


def moved_boxes(boxes: NDArray[np.float64], reach: float, size: tuple[int, int], rng: Generator) -> NDArray[np.float64]:
    """Boxes [N, 4] shifted by up to `reach` of their sides and scaled by up to exp(reach), cut at the frame."""
    sides = boxes[:, 2:] - boxes[:, :2]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 + rng.uniform(-reach, reach, (len(boxes), 2)) * sides
    halves = sides * np.exp(rng.uniform(-reach, reach, (len(boxes), 2))) / 2
    height, width = size
    limit = np.array([width, height, width, height], dtype=np.float64)
    moved: NDArray[np.float64] = np.clip(np.concatenate([centres - halves, centres + halves], axis=1), 0, limit)
    return moved
