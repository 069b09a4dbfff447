"""Cutting pairs on a device in batches: frames and masks lie there, crops are gathered from them."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.errors import ConfigError
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
from vis_pipeline.training.tracker.looks import EXEMPLAR, SEARCH, WIDEST_BLUR, Looks, draw_looks
from vis_pipeline.training.tracker.pairs import CropWindow, Pair
from vis_pipeline.training.tracker.pixel_pool import PixelPool, Shelf
from vis_pipeline.training.tracker.settings import AugmentSettings
from vis_pipeline.training.tracker.sources import TrainingSet

_GREY = (0.114, 0.587, 0.299)
"""Shares of B, G and R in a grey level (ITU-R BT.601)."""

_CHUNK = {"cpu": 1 << 17}
_LARGE_CHUNK = 1 << 23
"""Pixels gathered at a time: on the CPU what its caches hold, elsewhere what keeps the temporary tensors small."""

Patch = tuple[int, int]
"""A mask: index of its object, and the frame."""


@dataclass(frozen=True)
class _Pictures:
    """M pictures that N pairs need: of which pairs, int64 [M], their corners in the frame and sizes (w, h), int64
    [M, 2], and where their pixels lie.
    """

    rows: NDArray[np.int64]
    corners: NDArray[np.int64]
    sizes: NDArray[np.int64]
    shelves: list[Shelf]


class DeviceCutter:
    """Cuts pairs from frames on a device; a :class:`~vis_pipeline.training.tracker.crops.Cutter`.

    Frames are kept on the device as they are used, uint8, and with them the masks within their boxes, as far as
    `device_gigabytes` go; the other frames stay in `store` and are sent with each batch.

    Raises:
        ConfigError: the device has less memory free than it is to give.
    """

    def __init__(
        self,
        data: TrainingSet,
        store: FrameStore,
        augment: AugmentSettings,
        device: torch.device,
        device_gigabytes: float,
    ) -> None:
        self._data = data
        self._store = store
        self._augment = augment
        self._device = device
        frame_pixels = sum(len(video.paths) * video.width * video.height for video in data.videos if video.objects)
        mask_pixels = int(sum(entry.boxes[:, 2:].prod(1).sum() for entry in data.objects))
        limit = device_gigabytes * 2**30
        share = min(1.0, limit / (3 * frame_pixels + mask_pixels))
        _require_room(device, share * (3 * frame_pixels + mask_pixels), device_gigabytes)
        self._frames: PixelPool[tuple[int, int]] = PixelPool(
            int(share * frame_pixels), 3, device, self._decoded, lambda keys: [store.frame(*key) for key in keys]
        )
        self._patches: PixelPool[Patch] = PixelPool(
            int(share * mask_pixels), 1, device, self._mask_patches, self._mask_patches
        )
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="decode")

    def batch(self, pairs: Sequence[Pair], rng: Generator) -> PairBatch:
        """Cut and augment pairs; `rng` drives the changes of light and blur."""
        return self.cut(pairs, draw_looks(len(pairs), self._augment, rng))

    def cut(self, pairs: Sequence[Pair], looks: Looks) -> PairBatch:
        """Cut pairs with the given looks."""
        flips = np.array([pair.flip for pair in pairs])
        exemplar_windows, search_windows = [pair.exemplar for pair in pairs], [pair.search for pair in pairs]
        second_windows = [pair.second for pair in pairs]
        exemplar_frames, search_frames = self._frames_of(exemplar_windows), self._frames_of(search_windows)
        targets = self._targets(pairs)
        return PairBatch(
            self._changed(self._images(exemplar_frames, exemplar_windows, flips), looks, EXEMPLAR),
            self._changed(self._images(search_frames, search_windows, flips), looks, SEARCH),
            self._changed(self._images(search_frames, second_windows, flips), looks, SEARCH),
            self._masks(targets, search_windows, MASK_MARGIN, flips),
            self._masks(targets, second_windows, 0, flips),
            self._sent(target_boxes(pairs)),
            self._sent(np.array([pair.positive for pair in pairs])),
        )

    def _frames_of(self, windows: Sequence[CropWindow]) -> _Pictures:
        keys = [(window.video, window.frame) for window in windows]
        videos = [self._data.videos[window.video] for window in windows]
        sizes = np.array([(video.width, video.height) for video in videos])
        return _Pictures(
            np.arange(len(windows)), np.zeros_like(sizes), sizes, self._frames.shelves(keys, _areas(sizes))
        )

    def _targets(self, pairs: Sequence[Pair]) -> _Pictures:
        """The masks of the targets that can be seen."""
        boxes = np.stack([self._data.objects[pair.target].boxes[pair.search.frame] for pair in pairs]).astype(np.int64)
        seen = np.flatnonzero(boxes[:, 2])
        keys = [(pairs[row].target, pairs[row].search.frame) for row in seen]
        corners, sizes = boxes[seen, :2], boxes[seen, 2:]
        return _Pictures(seen, corners, sizes, self._patches.shelves(keys, _areas(sizes)))

    def _images(self, frames: _Pictures, windows: Sequence[CropWindow], flips: NDArray[np.bool_]) -> Tensor:
        """Crops, float32 [N, S, S, 3] of whole levels; outside of a frame is its mean colour, truncated."""
        colours = np.array([self._store.colour(window.video, window.frame) for window in windows], dtype=np.float32)
        return self._gathered(frames, image_maps(windows, flips, frames.sizes), colours, windows[0].size).round_()

    def _masks(
        self, targets: _Pictures, windows: Sequence[CropWindow], margin: int, flips: NDArray[np.bool_]
    ) -> Tensor:
        """The targets' masks over windows and a margin, bool [N, S + 2 * margin, S + 2 * margin]."""
        size = windows[0].size + 2 * margin
        cut = torch.zeros((len(windows), size, size), dtype=torch.bool, device=self._device)
        if len(targets.rows):
            videos = [self._data.videos[windows[row].video] for row in targets.rows]
            frames = np.array([(video.width, video.height) for video in videos])
            maps = mask_maps([windows[row] for row in targets.rows], margin, flips[targets.rows], frames)
            colours = np.zeros((len(targets.rows), 1), dtype=np.float32)
            cut[self._sent(targets.rows)] = self._gathered(targets, maps, colours, size)[..., 0] >= 0.5
        return cut

    def _gathered(self, pictures: _Pictures, maps: Maps, colours: NDArray[np.float32], side: int) -> Tensor:
        """Windows of pictures, interpolated: float32 [N, side, side, C]."""
        maps[:, :, 1] -= pictures.corners
        crops = torch.empty((len(maps), side, side, colours.shape[1]), device=self._device)
        step = max(1, _CHUNK.get(self._device.type, _LARGE_CHUNK) // side**2)
        for shelf in pictures.shelves:
            for start in range(0, len(shelf.rows), step):
                rows = shelf.rows[start : start + step]
                crops[self._sent(rows)] = gathered_windows(
                    shelf.pixels,
                    self._sent(shelf.offsets[start : start + step]),
                    self._sent(pictures.sizes[rows]),
                    self._sent(maps[rows]),
                    self._sent(colours[rows]),
                    side,
                )
        return crops

    def _changed(self, crops: Tensor, looks: Looks, whose: int) -> Tensor:
        """Crops [N, S, S, 3] with their pairs' looks, uint8 [N, 3, S, S]."""
        gains, offsets = looks.gains[:, whose, None, None], looks.offsets[:, whose, None, None]
        crops = crops.mul_(self._sent(gains).float()).add_(self._sent(offsets).float()).clamp_(0, 255).floor_()
        blurred = np.flatnonzero(looks.blur.max(1) > 1)
        if whose == SEARCH and len(blurred):
            rows = self._sent(blurred)
            crops[rows] = box_blurred(crops[rows], self._sent(looks.blur[blurred]))
        grey = np.flatnonzero(looks.grey)
        if len(grey):
            rows = self._sent(grey)
            levels = (crops[rows] * torch.tensor(_GREY, device=self._device)).sum(-1, keepdim=True).round_()
            crops[rows] = levels.expand(-1, -1, -1, 3)
        return crops.to(torch.uint8).permute(0, 3, 1, 2)

    def _decoded(self, keys: Sequence[tuple[int, int]]) -> list[NDArray[np.uint8]]:
        return list(self._threads.map(lambda key: self._store.read(*key), keys))

    def _mask_patches(self, keys: Sequence[Patch]) -> list[NDArray[np.uint8]]:
        return [mask_patch(self._data.objects[index], frame) for index, frame in keys]

    def _sent(self, values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values).to(self._device, non_blocking=True)


def gathered_windows(
    pixels: Tensor, offsets: Tensor, sizes: Tensor, maps: Tensor, colours: Tensor, side: int
) -> Tensor:
    """Bilinear windows of N pictures that lie in one tensor: float32 [N, side, side, C].

    Args:
        pixels: uint8 [P, C].
        offsets: int64 [N], where each picture begins in `pixels`; it goes on row by row.
        sizes: int64 [N, 2], the pictures' width and height.
        maps: float64 [N, 2, 2], factor and shift of x and y: pixel u of a window lies at factor * u + shift.
        colours: float32 [N, C], what lies outside of the pictures.
        side: pixels along a side of the windows.
    """
    columns, across = _taps(maps[:, 0], sizes[:, 0], side)
    rows, down = _taps(maps[:, 1], sizes[:, 1], side)
    rows = offsets[:, None, None] + rows * sizes[:, :1, None]
    outside = 1 - down.sum(1)[:, :, None] * across.sum(1)[:, None, :]
    crops = outside[..., None] * colours[:, None, None]
    for row, row_weight in zip(rows.unbind(1), down.unbind(1), strict=True):
        for column, column_weight in zip(columns.unbind(1), across.unbind(1), strict=True):
            index = row[:, :, None] + column[:, None, :]
            found = pixels.index_select(0, index.flatten()).view(*index.shape, -1)
            crops += found * (row_weight[:, :, None] * column_weight[:, None, :])[..., None]
    return crops


def box_blurred(crops: Tensor, boxes: Tensor) -> Tensor:
    """Average whole levels, float32 [N, S, S, C], over boxes of `boxes` [N, 2] pixels (w, h), as `cv2.blur` does."""
    reach = WIDEST_BLUR // 2
    planes = F.pad(crops.permute(0, 3, 1, 2), (reach,) * 4, mode="reflect")
    steps = torch.arange(-reach, WIDEST_BLUR - reach, device=crops.device)
    first = -(boxes // 2)[..., None]
    weights = ((steps >= first) & (steps < first + boxes[..., None])) / boxes[..., None]
    # Products and sums in float32: a matrix product may be computed in TF32, which rounds levels away.
    across = (planes.unfold(3, WIDEST_BLUR, 1) * weights[:, 0, None, None, None]).sum(-1)
    both = (across.unfold(2, WIDEST_BLUR, 1) * weights[:, 1, None, None, None]).sum(-1)
    return both.round_().permute(0, 2, 3, 1)


def _taps(maps: Tensor, lengths: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Along one axis the two neighbours of every window pixel: int64 [N, 2, side] inside, and their float32 weights.

    A neighbour that lies outside has no weight.
    """
    places = maps[:, :1] * torch.arange(side, dtype=maps.dtype, device=maps.device) + maps[:, 1:]
    low = places.floor()
    share = places - low
    taps = torch.stack([low, low + 1], dim=1).long()
    last = lengths[:, None, None] - 1
    inside = (taps >= 0) & (taps <= last)
    weights = torch.stack([1 - share, share], dim=1) * inside
    return torch.minimum(taps.clamp_min_(0), last), weights.float()


def _areas(sizes: NDArray[np.int64]) -> list[int]:
    areas: list[int] = sizes.prod(1).tolist()
    return areas


def _require_room(device: torch.device, needed: float, asked_gigabytes: float) -> None:
    if device.type != "cuda":
        return
    free = torch.cuda.mem_get_info(device)[0]
    if needed > free:
        raise ConfigError(
            f"pairs.device_gigabytes = {asked_gigabytes:g}: {device} has {free / 2**30:.1f} GiB free; give less, with "
            "room for the network"
        )
