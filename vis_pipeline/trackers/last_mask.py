"""Tracking without prediction: detections are linked by the last ones alone, which shows what SiamMask is worth."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from vis_pipeline.trackers.lifecycle.propagation import Propagated


class NoPrediction:
    """No propagation: nothing is predicted, so that detections are linked by those before them alone.

    The state of a group of tracks is their number.
    """

    def start(self, groups: Sequence[tuple[Tensor, Tensor]]) -> list[int]:
        """The number of tracks of each group."""
        return [len(boxes) for _, boxes in groups]

    def predict(self, groups: Sequence[tuple[Tensor, int]]) -> list[Propagated]:
        """Empty masks of score 0."""
        return [_nothing(image, count) for image, count in groups]

    def move(self, states: int, boxes: Tensor) -> int:
        """The number of tracks."""
        return states

    def replace(self, states: int, indices: Tensor, others: int) -> int:
        """The number of tracks."""
        return states

    def select(self, states: int, indices: Tensor) -> int:
        """The number of some tracks."""
        return len(indices)

    def concatenate(self, states: Sequence[int]) -> int:
        """The number of all tracks."""
        return sum(states)

    def pack(self, states: int) -> dict[str, Tensor]:
        """The number of tracks."""
        return {"count": torch.tensor(states)}

    def unpack(self, tensors: Mapping[str, Tensor]) -> int:
        """The number of tracks."""
        return int(tensors["count"])


def _nothing(image: Tensor, count: int) -> Propagated:
    boxes = torch.zeros((count, 4), dtype=torch.float64, device=image.device)
    masks = torch.zeros((count, *image.shape[:2]), dtype=torch.bool, device=image.device)
    return Propagated(masks, torch.zeros(count, device=image.device), boxes, boxes)
