"""Who answers the memory's questions."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from vis_pipeline.trackers.memory.questions import Questions


class Recogniser(Protocol):
    """Answers the questions of all videos of a step."""

    def scores(self, questions: Sequence[Questions]) -> list[Tensor]:
        """For each video a score in 0..1 of each of its questions, float32 [K]; no video's depend on the others'."""
        ...


class Unasked:
    """For trackers without a memory."""

    def scores(self, questions: Sequence[Questions]) -> list[Tensor]:
        """No scores: there are no questions."""
        return [torch.zeros(0, device=asked.pairs.device) for asked in questions]
