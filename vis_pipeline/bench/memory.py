"""What a memory costs in a frame, by how many tracks are away: asking, answering, deciding."""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.regions import REGION_SIZE
from vis_pipeline.trackers.lifecycle.appearance import BINS
from vis_pipeline.trackers.memory import Memory, MemorySettings, Sighting
from vis_pipeline.trackers.siam_rcnn.recogniser import RedetectorRecogniser
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector

_SIZE = (360, 640)
_SIDE = 40


@dataclass(frozen=True)
class MemoryCost:
    """A frame with so many tracks away.

    Attributes:
        away: tracks that are out of sight.
        questions: that the frame asks.
        milliseconds: median, least and most of the repeats.
    """

    away: int
    questions: int
    milliseconds: float
    least: float
    most: float


class _Noise:
    """Regions with random features, the same for the same boxes: cutting them is the detector's work."""

    size = _SIZE
    proposals = torch.zeros((0, 4))

    def __init__(self, channels: int, device: torch.device) -> None:
        self.channels = channels
        self._device = device

    def align(self, boxes: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(int(boxes.sum()))
        return torch.randn((len(boxes), self.channels, REGION_SIZE, REGION_SIZE), generator=generator).to(self._device)


def memory_costs(
    network: Redetector,
    settings: MemorySettings,
    away: Sequence[int],
    detections: int,
    repeats: int,
    device: torch.device,
) -> Iterator[MemoryCost]:
    """Time a frame of `detections` new objects, with so many tracks away that have all the views they may have."""
    for count in away:
        memory = _filled(Memory(settings, device), network.architecture.channels, count, settings, device)
        recogniser = RedetectorRecogniser(network)
        frame = settings.views * settings.refresh_every + 1
        taken, asked = [], 0
        for _ in range(repeats + 1):
            begun = time.perf_counter()
            questions = memory.ask(frame, _row(detections, network.architecture.channels, device), *_nobody())
            (scores,) = recogniser.scores([questions])
            memory.recall(scores, torch.ones((detections, BINS), device=device), [])
            taken.append(1000 * (time.perf_counter() - begun))
            asked = len(questions)
        measured = taken[1:]  # the first one warms up
        yield MemoryCost(count, asked, statistics.median(measured), min(measured), max(measured))


def _filled(memory: Memory, channels: int, count: int, settings: MemorySettings, device: torch.device) -> Memory:
    """A memory of `count` tracks that went away, each seen often enough for all its views."""
    for frame in range(0, settings.views * settings.refresh_every, settings.refresh_every):
        for number in range(count):
            memory.ask(frame, _row(1, channels, device), *_nobody())
            memory.look(torch.ones((1, BINS), device=device), [Sighting(number, 0, frame + 1, 0)], np.zeros((0, 4)))
    for number in range(count):
        memory.leave(number, settings.views * settings.refresh_every, settings.least_detections)
    return memory


def _row(count: int, channels: int, device: torch.device) -> Detections:
    """Detections side by side, none of which covers another."""
    corners = torch.tensor([[10 + 50 * place, 10] for place in range(count)], dtype=torch.float32)
    return Detections(
        boxes=torch.cat([corners, corners + _SIDE], dim=1).to(device),
        scores=torch.full((count,), 0.9, device=device),
        labels=torch.ones(count, dtype=torch.int64, device=device),
        masks=torch.zeros((count, *_SIZE), dtype=torch.bool, device=device),
        regions=_Noise(channels, device),
    )


def _nobody() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((0, 4)), np.zeros(0, dtype=np.int64)
