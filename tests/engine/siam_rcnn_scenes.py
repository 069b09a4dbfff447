"""Videos of coloured squares for Siam R-CNN: what is drawn is proposed, and the re-detector knows colours."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import torch
from returning_objects import SIDE, SIZE, Colours, Place, Seen
from torch import Tensor

from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.siam_rcnn.box_to_mask import BoxesInFrame
from vis_pipeline.trackers.siam_rcnn.settings import (
    RedetectionSettings,
    SelectionSettings,
    TargetSettings,
    TdpaSettings,
)
from vis_pipeline.trackers.siam_rcnn.tracker import SiamRcnnTracker


class Proposing(Seen):
    """Proposes where squares are, also those that it does not detect from a frame on, `hidden`."""

    def __init__(self, script: Sequence[Mapping[str, Place]], hidden: Mapping[str, int] | None = None) -> None:
        ends = hidden or {}
        super().__init__(
            [
                {name: at for name, at in places.items() if index < ends.get(name, len(script))}
                for index, places in enumerate(script)
            ]
        )
        self._drawn = script

    def _one(self, frame: Frame) -> Detections:
        found = super()._one(frame)
        assert isinstance(found.regions, Colours)
        places = [place for _, place in sorted(self._drawn[frame.index].items())]
        corners = torch.tensor(places, dtype=torch.float32).reshape(-1, 2)
        found.regions.proposals = torch.cat([corners, corners + SIDE], dim=1)
        return replace(found, regions=found.regions)


class ColourStage:
    """Likeness of colours; leaves boxes where they are, but for one that lies on the bare ground."""

    def __call__(self, templates: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
        logits = likeness(templates, regions).clamp(1e-6, 1 - 1e-6).logit()
        return torch.stack([logits, torch.zeros_like(logits)], dim=1), torch.zeros((len(logits), 4))

    def moved(self, boxes: Tensor, offsets: Tensor, size: tuple[int, int]) -> Tensor:
        return boxes


class ColourNetwork:
    """A re-detector whose similarity is that of the colours."""

    architecture = SimpleNamespace(channels=3)
    cascade = (ColourStage(),) * 3

    def __call__(self, templates: Tensor, regions: Tensor) -> Tensor:
        return likeness(templates, regions)


class BlindStage(ColourStage):
    """Takes any square for any other, and only the bare ground for none."""

    def __call__(self, templates: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
        logits = any_square(regions).logit()
        return torch.stack([logits, torch.zeros_like(logits)], dim=1), torch.zeros((len(logits), 4))


class BlindNetwork(ColourNetwork):
    """A re-detector to which all objects are the same one."""

    cascade = (BlindStage(),) * 3

    def __call__(self, templates: Tensor, regions: Tensor) -> Tensor:
        return any_square(regions)


def any_square(regions: Tensor) -> Tensor:
    ground = (regions - 90 / 255).abs().amax(dim=(1, 2, 3)) < 0.05
    return torch.where(ground, 0.01, 0.9)


def likeness(one: Tensor, other: Tensor) -> Tensor:
    return (1 - 3 * (one - other).abs().amax(dim=(1, 2, 3))).clamp(min=0)


class Filled:
    """Box2Seg: all of the box."""

    def masks(self, frames: Sequence[BoxesInFrame]) -> list[Tensor]:
        return [self._filled(frame.boxes) for frame in frames]

    def _filled(self, boxes: Tensor) -> Tensor:
        masks = torch.zeros((len(boxes), *SIZE), dtype=torch.bool)
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.round().int().tolist(), strict=True):
            mask[y1:y2, x1:x2] = True
        return masks


def tracker(
    network: Any = None,
    selection: SelectionSettings | None = None,
    targets: TargetSettings | None = None,
    tracking: TrackingSettings | None = None,
    redetection: RedetectionSettings | None = None,
) -> SiamRcnnTracker:
    return SiamRcnnTracker(
        network or ColourNetwork(),
        Filled(),
        redetection or RedetectionSettings(),
        selection or TdpaSettings(),
        targets or TargetSettings(),
        tracking or TrackingSettings(),
        torch.device("cpu"),
    )


class ColourRegions:
    """The regions alone, for one object that is followed."""

    def __init__(self, script: Sequence[Mapping[str, Place]]) -> None:
        self._seen = Proposing(script)
        self.asked: list[int] = []

    def regions(self, frames: Sequence[Frame]) -> list[Any]:
        self.asked += [frame.index for frame in frames]
        return [found.regions for found in self._seen.detect(frames)]
