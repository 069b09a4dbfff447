"""Videos of coloured squares that go and come back, seen by a detector whose features are the colours themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.base import Tracker
from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker
from vis_pipeline.trackers.memory import MemorySettings, Questions

SIZE = (64, 96)
SIDE = 12
Place = tuple[int, int]
"""x, y of a square's top left pixel."""
Colour = tuple[int, int, int]


class Colours:
    """A frame's regions: the features of a box are its mean colour."""

    channels = 3
    size = SIZE
    proposals = torch.zeros((0, 4))

    def __init__(self, image: NDArray[np.uint8]) -> None:
        self._image = image

    def align(self, boxes: Tensor) -> Tensor:
        means = [
            self._image[int(y1) : int(y2), int(x1) : int(x2)].reshape(-1, 3).mean(axis=0)
            for x1, y1, x2, y2 in boxes.tolist()
        ]
        colours = torch.tensor(np.array(means).reshape(-1, 3) / 255, dtype=torch.float32)
        return colours[:, :, None, None].expand(-1, -1, 7, 7).contiguous()


class SameColour:
    """Knows objects again by the features' distance."""

    def __init__(self) -> None:
        self.asked = 0

    def scores(self, questions: Sequence[Questions]) -> list[Tensor]:
        self.asked += sum(map(len, questions))
        return [self._scored(asked) for asked in questions]

    def _scored(self, asked: Questions) -> Tensor:
        if not len(asked):
            return torch.zeros(0)
        views, seen = asked.views[asked.pairs[:, 0]], asked.seen[asked.pairs[:, 1]]
        return 1 - (views - seen).abs().amax(dim=(1, 2, 3))


class Seen:
    """Detects the squares where they are, in the order of their names."""

    def __init__(self, script: Sequence[Mapping[str, Place]]) -> None:
        self._script = script

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Frame) -> Detections:
        places = [place for _, place in sorted(self._script[frame.index].items())]
        masks = torch.zeros((len(places), *SIZE), dtype=torch.bool)
        for mask, (x, y) in zip(masks, places, strict=True):
            mask[y : y + SIDE, x : x + SIDE] = True
        boxes = torch.tensor([[x, y, x + SIDE, y + SIDE] for x, y in places], dtype=torch.float32).reshape(-1, 4)
        count = len(places)
        scores, labels = torch.full((count,), 0.9), torch.ones(count, dtype=torch.int64)
        return Detections(boxes, scores, labels, masks, Colours(frame.image))


def video(script: Sequence[Mapping[str, Place]], colours: Mapping[str, Colour]) -> list[Frame]:
    frames = []
    for index, places in enumerate(script):
        image = np.full((*SIZE, 3), 90, np.uint8)
        for name, (x, y) in places.items():
            image[y : y + SIDE, x : x + SIDE] = colours[name]
        frames.append(Frame(1, index, str(index), image))
    return frames


def remembering(settings: MemorySettings | None, recogniser: SameColour | None = None) -> Tracker[Any, Any]:
    """Links detections by masks, place and colours, and by the memory if there is one."""
    known = None if settings is None else recogniser or SameColour()
    return LifecycleTracker(NoPrediction(), TrackingSettings(), torch.device("cpu"), settings, known)
