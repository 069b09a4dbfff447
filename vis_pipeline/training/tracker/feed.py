"""Batches of pairs by number, the same whenever and wherever they are asked for."""

from collections.abc import Sequence
from threading import Lock

import numpy as np
import torch

from vis_pipeline.training.tracker.crops import Cutter, PairBatch
from vis_pipeline.training.tracker.device_crops import DeviceCutter
from vis_pipeline.training.tracker.frame_store import FrameStore
from vis_pipeline.training.tracker.host_crops import PairCutter
from vis_pipeline.training.tracker.pairs import CropWindow, Pair, PairSampler
from vis_pipeline.training.tracker.settings import TrackerTraining
from vis_pipeline.training.tracker.sources import TrainingSet, read_training_set


class PairFeed:
    """Draws and cuts the pairs of a training, on the device when it is not the CPU.

    Raises:
        ConfigError: the sources or the room for their frames cannot be had.
        DataError: a source cannot be used.
    """

    def __init__(self, settings: TrackerTraining, device: torch.device) -> None:
        self._seed = settings.seed
        self._count = settings.schedule.batch
        self._device = device
        self._data = read_training_set(settings.sources)
        self._sampler = PairSampler(self._data, settings.pairs, settings.augment)
        self._cutter = open_cutter(self._data, settings, device)
        self._one_at_a_time = Lock()

    def draw(self, stream: int, number: int, side: int) -> tuple[PairBatch, tuple[Pair, ...]]:
        """Batch `number` of a stream, which depends on the seed and these alone, with search crops of a side.

        Safe to call from several threads.
        """
        rng = np.random.default_rng((self._seed, stream, number))
        pairs = tuple(self._sampler.draw(rng, side) for _ in range(self._count))
        with self._one_at_a_time:
            return self._cutter.batch(pairs, rng).to(self._device), pairs

    def names(self, pairs: Sequence[Pair]) -> list[str]:
        """Where each pair is from: source, video and frame of its exemplar, and of its search image."""
        return [self._name(pair.exemplar, pair.search) for pair in pairs]

    def _name(self, exemplar: CropWindow, search: CropWindow) -> str:
        videos = self._data.videos
        first, second = (videos[window.video].paths[window.frame].name for window in (exemplar, search))
        if search.video != exemplar.video:
            second = f"{videos[search.video].name}/{second}"
        return f"{videos[exemplar.video].name}/{first} + {second}"


def open_cutter(data: TrainingSet, settings: TrackerTraining, device: torch.device) -> Cutter:
    """OpenCV on the CPU, where it is some five times faster than gathering; gathering on any other device.

    Raises:
        ConfigError: the device has less memory free than `pairs.device_gigabytes`.
    """
    store = FrameStore(data.videos, settings.pairs.cache_gigabytes)
    if device.type == "cpu":
        return PairCutter(data, store, settings.augment)
    return DeviceCutter(data, store, settings.augment, device, settings.pairs.device_gigabytes)
