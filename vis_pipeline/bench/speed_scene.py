"""What `bench speed` works on: drawn frames, boxes in the first of them, and detections in all."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import ConfigError
from vis_pipeline.structures.frames import Frame
from vis_pipeline.synthesis.procedural.settings import NORMAL, SceneSettings
from vis_pipeline.synthesis.procedural.video import generate_video

# Of a box, in pixels, and in parts of the frame's height and of the place that it has.
_LEAST_SIDE = 10
_LARGEST_SIDE = 0.3
_PART = (0.5, 0.8)


@dataclass(frozen=True)
class Scene:
    """Frames with N targets.

    Attributes:
        frames: the first is where the targets begin, the others are what is timed.
        boxes: float64 [N, 4], x, y, w, h of the targets in the first frame.
        masks: bool [N, H, W], the detections of every frame.
    """

    frames: tuple[Frame, ...]
    boxes: NDArray[np.float64]
    masks: NDArray[np.bool_]

    def first(self, count: int) -> "Scene":
        """The same up to some frames."""
        return Scene(self.frames[:count], self.boxes, self.masks)


def drawn_frames(width: int, height: int, count: int, seed: int) -> tuple[Frame, ...]:
    """The first frames of a procedural video of a size."""
    scale = height / NORMAL.height
    settings = SceneSettings(
        width=width,
        height=height,
        length=count,
        size=(NORMAL.size[0] * scale, NORMAL.size[1] * scale),
        speed=(NORMAL.speed[0] * scale, NORMAL.speed[1] * scale),
    )
    images = generate_video(seed, 0, settings).frames
    return tuple(Frame(1, index, str(index), image) for index, image in enumerate(images))


def scene(frames: tuple[Frame, ...], objects: int, seed: int) -> Scene:
    """Frames with so many targets that do not overlap.

    Raises:
        ConfigError: the frames have no room for them.
    """
    height, width = frames[0].image.shape[:2]
    boxes = placed_boxes(width, height, objects, seed)
    masks = np.zeros((objects, height, width), dtype=np.uint8)
    for mask, (x, y, w, h) in zip(masks, boxes.tolist(), strict=True):
        cv2.ellipse(mask, ([x + w / 2, y + h / 2], [w, h], 0.0), [1], -1)
    return Scene(frames, boxes, masks.astype(np.bool_))


def placed_boxes(width: int, height: int, count: int, seed: int) -> NDArray[np.float64]:
    """Boxes x, y, w, h in whole pixels, float64 [N, 4], each somewhere in its own cell of a grid over the frame.

    Raises:
        ConfigError: the cells would be too small.
    """
    rows = max(1, round(math.sqrt(count * height / width)))
    columns = math.ceil(count / rows)
    cell = np.array([width / columns, height / rows])
    if cell.min() * _PART[0] < _LEAST_SIDE:
        raise ConfigError(f"--objects {count}: frames of {width}x{height} have no room for so many")
    rng = np.random.default_rng([seed, width, height, count])
    places = np.stack(np.divmod(rng.permutation(rows * columns)[:count], columns)[::-1], axis=1)
    largest = np.minimum(cell, _LARGEST_SIDE * height)
    sizes = np.floor(rng.uniform(*_PART, (count, 2)) * largest)
    corners = np.floor(places * cell + rng.uniform(size=(count, 2)) * (cell - sizes))
    return np.concatenate([corners, sizes], axis=1)
