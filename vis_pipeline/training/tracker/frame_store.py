"""Frames of a training set in the machine's memory."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.files.images import read_image
from vis_pipeline.training.tracker.sources import TrainingVideo


class FrameStore:
    """Decoded frames, uint8 [H, W, 3] BGR, kept in memory up to a limit (random access: no order of eviction helps)."""

    def __init__(self, videos: Sequence[TrainingVideo], limit_gigabytes: float) -> None:
        self._videos = videos
        self._free = limit_gigabytes * 2**30
        self._kept: dict[tuple[int, int], NDArray[np.uint8]] = {}
        self._colours: dict[tuple[int, int], tuple[int, int, int]] = {}

    def frame(self, video: int, index: int) -> NDArray[np.uint8]:
        """The frame `index` of the video, kept where there is room.

        Raises:
            DataError: the file is missing, damaged, or of another size than its source states.
        """
        key = (video, index)
        if key not in self._kept:
            image = self.read(video, index)
            if self._free < image.nbytes:
                return image
            self._free -= image.nbytes
            self._kept[key] = image
        return self._kept[key]

    def colour(self, video: int, index: int) -> tuple[int, int, int]:
        """The mean of a frame's channels, truncated, which crops show outside of it."""
        if (video, index) not in self._colours:
            self.frame(video, index)
        return self._colours[video, index]

    def read(self, video: int, index: int) -> NDArray[np.uint8]:
        """The same from its file, not kept; safe to call from several threads."""
        entry = self._videos[video]
        image = read_image(entry.paths[index])
        if image.shape[:2] != (entry.height, entry.width):
            size = f"{image.shape[1]}x{image.shape[0]}"
            raise DataError(f"frame {entry.paths[index]}: {size} pixels, its source says {entry.width}x{entry.height}")
        blue, green, red, _ = map(int, cv2.mean(image))
        self._colours[video, index] = (blue, green, red)
        return image
