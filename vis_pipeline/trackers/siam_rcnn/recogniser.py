"""The re-detector's pair scores as what the memory asks."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vis_pipeline.trackers.memory import Questions
from vis_pipeline.trackers.siam_rcnn.redetection import pair_scores
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector


class RedetectorRecogniser:
    """The classification of Siam R-CNN's cascade, on boxes as they are (section 3.3: pair scores)."""

    def __init__(self, network: Redetector) -> None:
        self._network = network

    def scores(self, questions: Sequence[Questions]) -> list[Tensor]:
        """Video by video: in a batch with others' the last bits would be others, and there are few questions."""
        return [self._answered(asked) for asked in questions]

    def _answered(self, asked: Questions) -> Tensor:
        if not len(asked):
            return torch.zeros(0, device=asked.pairs.device)
        return pair_scores(self._network, asked.views[asked.pairs[:, 0]], asked.seen[asked.pairs[:, 1]])
