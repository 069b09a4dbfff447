"""What cutting a pair gives, and where its crops lie: shared by the ways to cut on the host and on a device.

Tracking cuts its crops on whole pixels and pastes its masks by the release's rule; both differ from an ideal pixel
grid by fractions of a pixel. The maps here are the mean of the first and the exact inverse of the second, so that a
mask that is learned comes back to the image where it was cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline import masks
from vis_pipeline.training.tracker.pairs import CropWindow, Pair
from vis_pipeline.training.tracker.sources import TrainingObject

Maps = NDArray[np.float64]
"""Where the pixels of N crops lie in their frames: pixel u at factor * u + shift, both counted from the first pixel's
centre. Float64 [N, 2, 2], for x and y in turn factor and shift."""

MASK_MARGIN = 32
"""Pixels by which the mask windows of the outermost positions reach beyond the search crop."""


@dataclass(frozen=True)
class PairBatch:
    """N pairs as the network takes them.

    Attributes:
        exemplars: uint8 [N, 3, 127, 127] BGR.
        searches: uint8 [N, 3, S, S], S = 255 or, in a shortened search, less.
        seconds: uint8 [N, 3, 127, 127], second-stage crops.
        search_masks: bool [N, S + 64, S + 64], the target over the search crop and a margin of 32.
        second_masks: bool [N, 127, 127].
        boxes: float32 [N, 4], the target in the search crop as centre x, y, width, height in crop pixels; the crop's
            middle pixel is (S // 2, S // 2).
        positive: bool [N], whether the exemplar shows the target.
    """

    exemplars: Tensor
    searches: Tensor
    seconds: Tensor
    search_masks: Tensor
    second_masks: Tensor
    boxes: Tensor
    positive: Tensor

    def to(self, device: torch.device) -> "PairBatch":
        """The batch on a device."""
        return PairBatch(**{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})


class Cutter(Protocol):
    """Cuts pairs from the frames of a training set; one batch at a time."""

    def batch(self, pairs: Sequence[Pair], rng: Generator) -> PairBatch:
        """Cut and augment N >= 1 pairs with search crops of one size; `rng` drives the changes of light and blur.

        Raises:
            DataError: a frame's file is missing, damaged, or of another size than its source states.
        """
        ...


def image_maps(windows: Sequence[CropWindow], mirrored: NDArray[np.bool_], frames: NDArray[np.int64]) -> Maps:
    """Where image crops lie in their frames, whose width and height are `frames`, int64 [N, 2].

    A crop that is `mirrored` [N] shows the mirrored frame; its map leads to the frame as it is.
    """
    x, y, side, size = _places(windows)
    factor = side / size
    return _maps(factor, np.stack([x, y], 1), (factor - side) / 2 - 1, mirrored, frames, np.ones((len(x), 2)))


def mask_maps(
    windows: Sequence[CropWindow], margin: int, mirrored: NDArray[np.bool_], frames: NDArray[np.int64]
) -> Maps:
    """The same for masks that reach `margin` crop pixels beyond their windows on every side."""
    x, y, side, size = _places(windows)
    factor = side / size
    offset = -side / 2 - margin * factor
    return _maps(factor, np.stack([x, y], 1), offset, mirrored, frames, (frames - 1) / frames)


def target_boxes(pairs: Sequence[Pair]) -> NDArray[np.float32]:
    """The targets in their search crops: float32 [N, 4], centre x, y, width, height in crop pixels."""
    x, y, side, size = _places([pair.search for pair in pairs])
    sign = np.where([pair.flip for pair in pairs], -1, 1)
    left, top, width, height = np.array([pair.target_box for pair in pairs]).T
    scale, middle = size / side, size // 2
    across, down = left + width / 2 - x, top + height / 2 - y
    boxes = [middle + across * scale * sign, middle + down * scale, width * scale, height * scale]
    return np.stack(boxes, axis=1).astype(np.float32)


def mask_patch(entry: TrainingObject, frame: int) -> NDArray[np.uint8]:
    """The object's mask within its box, uint8 [h, w] of 0 and 1; [0, 0] where it is hidden."""
    rle = entry.segmentations[frame]
    if rle is None:
        return np.zeros((0, 0), dtype=np.uint8)
    x, y, width, height = entry.boxes[frame].astype(int).tolist()
    return np.asarray(masks.decode(rle)[y : y + height, x : x + width], dtype=np.uint8)


def _places(windows: Sequence[CropWindow]) -> NDArray[np.float64]:
    """Rows x, y, side and size."""
    rows = [(window.x, window.y, window.side, window.size) for window in windows]
    return np.transpose(np.array(rows, dtype=np.float64))


def _maps(
    factor: NDArray[np.float64],
    centres: NDArray[np.float64],
    offset: NDArray[np.float64],
    mirrored: NDArray[np.bool_],
    frames: NDArray[np.int64],
    shrink: NDArray[np.float64],
) -> Maps:
    """Pixel u lies at (factor * u + centre + offset) * shrink in the frame that the crop shows, mirrored or not."""
    shown = centres.copy()
    shown[mirrored, 0] = frames[mirrored, 0] - centres[mirrored, 0]
    maps = np.stack([factor[:, None] * shrink, (shown + offset[:, None]) * shrink], axis=2)
    maps[mirrored, 0] = -maps[mirrored, 0]
    maps[mirrored, 0, 1] += frames[mirrored, 0] - 1
    return maps
