"""Cutting pairs with OpenCV, one after another."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.training.tracker.crops import (
    MASK_MARGIN,
    Maps,
    PairBatch,
    image_maps,
    mask_maps,
    mask_patch,
    target_boxes,
)
from vis_pipeline.training.tracker.frame_store import FrameStore
from vis_pipeline.training.tracker.looks import EXEMPLAR, SEARCH, Looks, draw_looks
from vis_pipeline.training.tracker.pairs import CropWindow, Pair
from vis_pipeline.training.tracker.settings import AugmentSettings
from vis_pipeline.training.tracker.sources import TrainingSet


class PairCutter:
    """Cuts pairs from frames in the machine's memory; a :class:`~vis_pipeline.training.tracker.crops.Cutter`."""

    def __init__(self, data: TrainingSet, store: FrameStore, augment: AugmentSettings) -> None:
        self._data = data
        self._store = store
        self._augment = augment

    def batch(self, pairs: Sequence[Pair], rng: Generator) -> PairBatch:
        """Cut and augment pairs; `rng` drives the changes of light and blur."""
        return self.cut(pairs, draw_looks(len(pairs), self._augment, rng))

    def cut(self, pairs: Sequence[Pair], looks: Looks) -> PairBatch:
        """Cut pairs with the given looks."""
        flips = np.array([pair.flip for pair in pairs])
        exemplars = self._images([pair.exemplar for pair in pairs], flips)
        searches = self._images([pair.search for pair in pairs], flips)
        seconds = self._images([pair.second for pair in pairs], flips)
        for index in range(len(pairs)):
            _change(exemplars[index], looks, index, EXEMPLAR)
            _change(searches[index], looks, index, SEARCH)
            _change(seconds[index], looks, index, SEARCH)
        return PairBatch(
            _planes(exemplars),
            _planes(searches),
            _planes(seconds),
            self._masks(pairs, [pair.search for pair in pairs], MASK_MARGIN, flips),
            self._masks(pairs, [pair.second for pair in pairs], 0, flips),
            torch.from_numpy(target_boxes(pairs)),
            torch.tensor([pair.positive for pair in pairs]),
        )

    def _images(self, windows: Sequence[CropWindow], flips: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Crops, uint8 [N, S, S, 3]; outside of a frame is its mean colour, truncated."""
        size = windows[0].size
        crops = np.empty((len(windows), size, size, 3), dtype=np.uint8)
        maps = image_maps(windows, flips, self._frame_sizes(windows))
        for crop, window, axes in zip(crops, windows, maps, strict=True):
            frame = self._store.frame(window.video, window.frame)
            _warp(frame, axes, (0, 0), crop, self._store.colour(window.video, window.frame))
        return crops

    def _masks(
        self, pairs: Sequence[Pair], windows: Sequence[CropWindow], margin: int, flips: NDArray[np.bool_]
    ) -> Tensor:
        """The targets' masks over windows and a margin, bool [N, S + 2 * margin, S + 2 * margin]."""
        size = windows[0].size + 2 * margin
        cut = np.zeros((len(windows), size, size), dtype=np.uint8)
        maps = mask_maps(windows, margin, flips, self._frame_sizes(windows))
        for crop, pair, axes in zip(cut, pairs, maps, strict=True):
            entry = self._data.objects[pair.target]
            patch = mask_patch(entry, pair.search.frame)
            if patch.size:
                x, y = entry.boxes[pair.search.frame][:2].tolist()
                _warp(patch * 255, axes, (x, y), crop, (0, 0, 0))
        return torch.from_numpy(cut >= 128)

    def _frame_sizes(self, windows: Sequence[CropWindow]) -> NDArray[np.int64]:
        videos = [self._data.videos[window.video] for window in windows]
        return np.array([(video.width, video.height) for video in videos])


def _warp(
    image: NDArray[np.uint8],
    axes: Maps,
    corner: tuple[float, float],
    crop: NDArray[np.uint8],
    border: tuple[int, int, int],
) -> None:
    """Fill a crop from an image whose first pixel lies at `corner` of the frame."""
    matrix = np.array([[axes[0, 0], 0, axes[0, 1] - corner[0]], [0, axes[1, 0], axes[1, 1] - corner[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = crop.shape[:2]
    cv2.warpAffine(image, matrix, size, dst=crop, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=border)


def _change(crop: NDArray[np.uint8], looks: Looks, index: int, whose: int) -> None:
    """Give a crop [S, S, 3] the looks of a pair's exemplar or search image, in place."""
    levels = np.arange(256.0)[:, None, None]
    table = np.clip(levels * looks.gains[index, whose] + looks.offsets[index, whose], 0, 255).astype(np.uint8)
    cv2.LUT(crop, table, dst=crop)
    if whose == SEARCH and looks.blur[index].max() > 1:
        crop[:] = cv2.blur(crop, looks.blur[index].tolist())
    if looks.grey[index]:
        cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR, dst=crop)


def _planes(crops: NDArray[Any]) -> Tensor:
    return torch.from_numpy(crops).permute(0, 3, 1, 2)
