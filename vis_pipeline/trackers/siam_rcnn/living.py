"""The targets that a video's next frame is looked through for, and how they get into a checkpoint and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import get_type_hints

import torch
from torch import Tensor

from vis_pipeline.trackers.siam_rcnn.packing import packed, unpacked
from vis_pipeline.trackers.siam_rcnn.settings import SelectionSettings
from vis_pipeline.trackers.siam_rcnn.targets import Target


@dataclass(frozen=True)
class Living:
    """One target.

    Attributes:
        number: its place in the order of births.
        template: float32 [C, 7, 7], of the box that it began with.
        target: as far as its video has been seen.
        previous: float32 [P, 4], its re-detections in the last frame: x1, y1, x2, y2 in pixels.
        detections: how often it was detected.
        undetected: frames in a row without a detection.
    """

    number: int
    template: Tensor
    target: Target[Tensor]
    previous: Tensor
    detections: int = 1
    undetected: int = 0

    def detected(self) -> "Living":
        """The same after one more detection."""
        return replace(self, detections=self.detections + 1, undetected=0)


def to_tensors(living: Sequence[Living]) -> dict[str, Tensor]:
    """All that is known of targets, by name."""
    named: dict[str, Tensor] = {}
    for place, one in enumerate(living):
        for field in fields(Living):
            named |= packed(getattr(one, field.name), f"{place}.{field.name}")
    return named


def from_tensors(
    tensors: Mapping[str, Tensor], count: int, selection: SelectionSettings, device: torch.device
) -> tuple[Living, ...]:
    """The `count` targets of such tensors, which choose as settings say."""
    # What such settings begin says of which class a target is; with what, does not matter.
    kind = type(selection.begin((0, 0, 1, 1), torch.zeros(0), 1, 1))
    hints = {**get_type_hints(Living), "target": kind}
    return tuple(
        Living(
            **{
                field.name: unpacked(tensors, f"{place}.{field.name}", hints[field.name], selection, device)
                for field in fields(Living)
            }
        )
        for place in range(count)
    )
