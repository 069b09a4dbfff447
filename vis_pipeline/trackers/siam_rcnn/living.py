"""The targets that a video's next frame is looked through for, and how they get into a checkpoint and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import get_type_hints

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.trackers.siam_rcnn.decision import NONE
from vis_pipeline.trackers.siam_rcnn.looks import Appearance
from vis_pipeline.trackers.siam_rcnn.packing import packed, unpacked
from vis_pipeline.trackers.siam_rcnn.settings import SelectionSettings
from vis_pipeline.trackers.siam_rcnn.targets import Target


@dataclass(frozen=True)
class Sight:
    """The last detection of a target: its box x1, y1, x2, y2, float64 [4], in pixels, and its looks, float32 [B]."""

    box: NDArray[np.float64]
    looks: Tensor


@dataclass(frozen=True)
class Company:
    """How a target stands to the others.

    Attributes:
        on: number of the one on whose box its choice lay in the last frame; `NONE`.
        frames: for how many frames in a row.
        apart: numbers of those that were detected beside it in some frame.
    """

    on: int = NONE
    frames: int = 0
    apart: tuple[int, ...] = ()


@dataclass(frozen=True)
class Living:
    """One target.

    Attributes:
        number: its place in the order of births.
        template: what the box shows that it began with.
        target: as far as its video has been seen.
        previous: float32 [P, 4], its re-detections in the last frame: x1, y1, x2, y2 in pixels.
        sight: its last detection.
        company: how it stands to the others.
        detections: how often it was detected.
        undetected: frames in a row without a detection.
    """

    number: int
    template: Appearance
    target: Target[Appearance]
    previous: Tensor
    sight: Sight
    company: Company
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
    kind = type(selection.begin((0, 0, 1, 1), None, 1, 1))
    hints = {**get_type_hints(Living), "target": kind}
    return tuple(
        Living(
            **{
                field.name: unpacked(tensors, f"{place}.{field.name}", hints[field.name], Appearance, selection, device)
                for field in fields(Living)
            }
        )
        for place in range(count)
    )
