"""Cutting pairs into arrays: crops, masks and boxes in the coordinates that prediction uses.

Tracking cuts its crops on whole pixels and pastes its masks by the release's rule; both differ from an ideal pixel
grid by fractions of a pixel. The maps here are the mean of the first and the exact inverse of the second, so that a
mask that is learned comes back to the image where it was cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline import masks
from vis_pipeline.training.tracker.pairs import CropWindow, Pair
from vis_pipeline.training.tracker.settings import AugmentSettings
from vis_pipeline.training.tracker.sources import FrameStore, TrainingSet

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


class PairCutter:
    """Cuts pairs from the frames of a training set."""

    def __init__(self, data: TrainingSet, store: FrameStore, augment: AugmentSettings) -> None:
        self._data = data
        self._store = store
        self._augment = augment

    def batch(self, pairs: Sequence[Pair], rng: Generator) -> PairBatch:
        """Cut and augment pairs; `rng` drives the changes of colour and blur."""
        columns = list(zip(*(self._cut(pair, rng) for pair in pairs), strict=True))
        exemplars, searches, seconds = (_images(column) for column in columns[:3])
        search_masks, second_masks = (torch.from_numpy(np.stack(column)) for column in columns[3:])
        return PairBatch(
            exemplars,
            searches,
            seconds,
            search_masks,
            second_masks,
            torch.from_numpy(np.stack([target_in_crop(pair) for pair in pairs]).astype(np.float32)),
            torch.tensor([pair.positive for pair in pairs]),
        )

    def _cut(self, pair: Pair, rng: Generator) -> tuple[NDArray[np.uint8] | NDArray[np.bool_], ...]:
        exemplar = self._image(pair.exemplar, pair.flip)
        search = self._image(pair.search, pair.flip)
        second = self._image(pair.second, pair.flip)
        exemplar = _mapped(exemplar, _light_table(self._augment.light, rng))
        table = _light_table(self._augment.light, rng)
        search, second = _mapped(search, table), _mapped(second, table)
        if rng.random() < self._augment.blur:
            across, down = rng.integers(1, 6, 2).tolist()
            search, second = _blurred(search, across, down), _blurred(second, across, down)
        if rng.random() < self._augment.grey:
            exemplar, search, second = _grey(exemplar), _grey(search), _grey(second)
        rle = self._data.objects[pair.target].segmentations[pair.search.frame]
        frame_size = self._store.frame(pair.search.video, pair.search.frame).shape[:2]
        mask = np.zeros(frame_size, dtype=np.bool_) if rle is None else masks.decode(rle)
        return (
            exemplar,
            search,
            second,
            cut_mask(mask, pair.search, MASK_MARGIN, pair.flip),
            cut_mask(mask, pair.second, 0, pair.flip),
        )

    def _image(self, window: CropWindow, flip: bool) -> NDArray[np.uint8]:
        return cut_image(self._store.frame(window.video, window.frame), window, flip)


def cut_image(image: NDArray[np.uint8], window: CropWindow, flip: bool = False) -> NDArray[np.uint8]:
    """Crop a frame [H, W, 3] to [S, S, 3], S the window's size; outside of the frame is its mean colour, truncated."""
    width = image.shape[1]
    scale = window.side / window.size
    offset = (scale - window.side) / 2 - 1
    matrix = _matrix(scale, window.x + offset, window.y + offset)
    if flip:
        matrix = _matrix(scale, width - window.x + offset, window.y + offset)
        matrix[0] = -matrix[0] + (0, 0, width - 1)
    colour = tuple(np.asarray(cv2.mean(image)).astype(int).tolist())
    return _warp(image, matrix, window.size, colour)


def cut_mask(mask: NDArray[np.bool_], window: CropWindow, margin: int, flip: bool = False) -> NDArray[np.bool_]:
    """Cut a mask [H, W] over a crop and `margin` crop pixels beyond it on every side."""
    height, width = mask.shape
    shrink = np.array([[(width - 1) / width], [(height - 1) / height]])
    scale = window.side / window.size
    corner = -window.side / 2 - margin * scale
    matrix = _matrix(scale, window.x + corner, window.y + corner) * shrink
    if flip:
        matrix = _matrix(scale, width - window.x + corner, window.y + corner) * shrink
        matrix[0] = -matrix[0] + (0, 0, width - 1)
    cut = _warp(mask.astype(np.uint8) * 255, matrix, window.size + 2 * margin, (0.0,))
    return np.asarray(cut >= 128)


def target_in_crop(pair: Pair) -> NDArray[np.float64]:
    """The target's box in the search crop: centre x, y, width, height in crop pixels."""
    window = pair.search
    scale = window.size / window.side
    x, y, width, height = pair.target_box
    across = (x + width / 2 - window.x) * scale * (-1 if pair.flip else 1)
    down = (y + height / 2 - window.y) * scale
    middle = window.size // 2
    return np.array([middle + across, middle + down, width * scale, height * scale])


def _matrix(scale: float, x: float, y: float) -> NDArray[np.float64]:
    return np.array([[scale, 0, x], [0, scale, y]], dtype=np.float64)


def _warp(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, border: tuple[float, ...]
) -> NDArray[np.uint8]:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=border
    )
    return np.asarray(warped, dtype=np.uint8)


def _light_table(strength: float, rng: Generator) -> NDArray[np.uint8]:
    """A look-up table [256, 1, 3]: gain and offset common to the channels, and a third of that for each."""
    gain = 1 + rng.uniform(-strength, strength) + rng.uniform(-strength, strength, 3) / 3
    offset = 128 * (rng.uniform(-strength, strength) + rng.uniform(-strength, strength, 3) / 3)
    levels = np.arange(256.0)[:, None, None]
    return np.clip(levels * gain + offset, 0, 255).astype(np.uint8)


def _mapped(image: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.LUT(image, table), dtype=np.uint8)


def _blurred(image: NDArray[np.uint8], across: int, down: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.blur(image, (across, down)), dtype=np.uint8)


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), dtype=np.uint8)


def _images(crops: Sequence[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
