"""Crops pixel by pixel, as the text says: the frame is mirrored first, then a pixel is looked up where it lies."""

import math
from pathlib import Path

import cv2
import numpy as np

from vis_pipeline import masks
from vis_pipeline.training.tracker.sources import TrainingObject, TrainingSet, TrainingVideo

SIZES = ((60, 44), (45, 83))
"""Width and height of the frames of the two videos of :func:`noise_set`."""


def noise_set(folder: Path) -> TrainingSet:
    """Two videos of one and two frames of noise, one object each, a disc with a hole; hidden in the last frame."""
    rng = np.random.default_rng(5)
    videos, objects = [], []
    for number, (width, height) in enumerate(SIZES):
        paths = tuple(folder / f"{number}_{frame}.png" for frame in range(number + 1))
        for path in paths:
            cv2.imwrite(str(path), rng.integers(0, 256, (height, width, 3)).astype(np.uint8))
        y, x = np.mgrid[:height, :width]
        distance = np.hypot(x - 25, y - 20)
        rle = masks.encode(((distance < 14) & (distance > 4))[None])[0]
        frames = np.arange(number + 1)
        boxes = np.zeros((number + 1, 4))
        boxes[0] = masks.bounding_boxes([rle])[0]
        segmentations = (rle, None)[: number + 1]
        objects.append(
            TrainingObject(number, (0, 1), segmentations, boxes, frames[:1], frames[:1], frames[1:], frames[:0])
        )
        videos.append(TrainingVideo(paths, width, height, (number,), f"noise {number}"))
    return TrainingSet(tuple(videos), tuple(objects), np.array([0.5, 0.5]))


def image_pixel(image, window, flip, column, row):
    """One pixel of an image crop (float [3]) without looks.

    Tracking cuts `side` whole pixels from round(centre - (side + 1) / 2) on and resizes them by OpenCV's rule, where
    pixel u of the result shows (u + 0.5) * scale - 0.5 of the square; here the corner is not rounded.
    """
    shown = image[:, ::-1] if flip else image
    x = image.shape[1] - window.x if flip else window.x
    scale = window.side / window.size
    left, top = x - (window.side + 1) / 2, window.y - (window.side + 1) / 2
    colour = np.floor(image.reshape(-1, 3).mean(0))
    return interpolated(shown, left + (column + 0.5) * scale - 0.5, top + (row + 0.5) * scale - 0.5, colour)


def mask_pixel(mask, window, flip, margin, column, row):
    """The share of the object (0 to 1) at one pixel of a mask crop.

    Pasting puts pixel u of a crop at (corner + u * scale) * W / (W - 1) for a frame of W pixels; this is its inverse.
    """
    height, width = mask.shape
    shown = mask[:, ::-1] if flip else mask
    x = width - window.x if flip else window.x
    scale = window.side / window.size
    across = x - window.side / 2 + (column - margin) * scale
    down = window.y - window.side / 2 + (row - margin) * scale
    place = across * (width - 1) / width, down * (height - 1) / height
    return float(interpolated(shown[..., None].astype(float), *place, np.zeros(1))[0])


def interpolated(image, x, y, outside):
    """Bilinear value [C] at a place counted from the first pixel's centre."""
    height, width = image.shape[:2]
    value = np.zeros(image.shape[2])
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            weight = (1 - abs(x - column)) * (1 - abs(y - row))
            inside = 0 <= row < height and 0 <= column < width
            value += weight * (image[row, column] if inside else outside)
    return value
