"""How fast training pairs are drawn and cut, without a network."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vis_pipeline.training.tracker.crops import Cutter, PairBatch
from vis_pipeline.training.tracker.device_crops import DeviceCutter
from vis_pipeline.training.tracker.frame_store import FrameStore
from vis_pipeline.training.tracker.host_crops import PairCutter
from vis_pipeline.training.tracker.pairs import Pair, PairSampler
from vis_pipeline.training.tracker.settings import TrackerTraining
from vis_pipeline.training.tracker.sources import TrainingSet, read_training_set


@dataclass(frozen=True)
class PairSpeed:
    """Pairs a second of one way to cut: `first` reads and decodes the frames, `again` finds them as they were kept."""

    way: str
    first: float
    again: float


class PairBench:
    """Batches of a training's pairs, drawn once.

    Attributes:
        drawing: pairs drawn a second.

    Raises:
        ConfigError: a source names a video that it does not have, or the device has less memory than it is to give.
        DataError: a source cannot be used.
    """

    def __init__(self, settings: TrackerTraining, device: torch.device, batches: int) -> None:
        self._settings = settings
        self._device = device
        self._data: TrainingSet = read_training_set(settings.sources)
        sampler = PairSampler(self._data, settings.pairs, settings.augment)
        rng = np.random.default_rng(settings.seed)
        size = settings.schedule.batch
        start = time.perf_counter()
        self._batches = [[sampler.draw(rng) for _ in range(size)] for _ in range(batches)]
        self.drawing = size * batches / (time.perf_counter() - start)

    def speeds(self) -> Iterator[PairSpeed]:
        """Each way in turn; the batches end on the device. The one that training uses there comes first."""
        pairs, augment = self._settings.pairs, self._settings.augment
        gathered = f"gathered on {self._device}"
        for way in ("OpenCV", gathered) if self._device.type == "cpu" else (gathered, "OpenCV"):
            store = FrameStore(self._data.videos, pairs.cache_gigabytes)
            cutter: Cutter = (
                PairCutter(self._data, store, augment)
                if way == "OpenCV"
                else DeviceCutter(self._data, store, augment, self._device, pairs.device_gigabytes)
            )
            yield PairSpeed(way, self._pairs_per_second(cutter), self._pairs_per_second(cutter))

    def sample(self, count: int) -> PairBatch:
        """The first pairs, cut as training on the CPU cuts them."""
        cutter = PairCutter(self._data, FrameStore(self._data.videos, 0), self._settings.augment)
        pairs = [pair for batch in self._batches for pair in batch][:count]
        return cutter.batch(pairs, np.random.default_rng(self._settings.seed))

    def _pairs_per_second(self, cutter: Cutter) -> float:
        rng = np.random.default_rng(0)
        start = time.perf_counter()
        for pairs in self._batches:
            cutter.batch(pairs, rng).to(self._device)
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return _count(self._batches) / (time.perf_counter() - start)


def _count(batches: Sequence[Sequence[Pair]]) -> int:
    return sum(len(pairs) for pairs in batches)
