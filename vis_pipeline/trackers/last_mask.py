"""Tracking without prediction: detections are linked by the last ones alone, which shows what SiamMask is worth."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vis_pipeline.trackers.base import Propagated


class NoPrediction:
    """No propagation: nothing is predicted, so that detections are linked by those before them alone.

    The state of a group of tracks is their number.
    """

    def start(self, image: Tensor, boxes: Tensor) -> int:
        """The number of tracks."""
        return len(boxes)

    def predict(self, image: Tensor, states: int) -> Propagated:
        """Empty masks of score 0."""
        boxes = torch.zeros((states, 4), dtype=torch.float64, device=image.device)
        masks = torch.zeros((states, *image.shape[:2]), dtype=torch.bool, device=image.device)
        return Propagated(masks, torch.zeros(states, device=image.device), boxes, boxes)

    def advance(self, image: Tensor, states: int, boxes: Tensor, renewed: Tensor) -> int:
        """The number of tracks."""
        return states

    def select(self, states: int, indices: Tensor) -> int:
        """The number of some tracks."""
        return len(indices)

    def concatenate(self, states: Sequence[int]) -> int:
        """The number of all tracks."""
        return sum(states)
