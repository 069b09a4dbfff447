"""What a video asks of the recogniser in one frame."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Questions:
    """K questions: is what is seen there the object of that view?

    Attributes:
        views: float32 [V, C, 7, 7], templates.
        seen: float32 [D, C, 7, 7], features of detections of the frame.
        pairs: int64 [K, 2], of each question the view and what is seen.
    """

    views: Tensor
    seen: Tensor
    pairs: Tensor

    def __len__(self) -> int:
        return len(self.pairs)

    @classmethod
    def none(cls, device: torch.device) -> "Questions":
        """Nothing to ask."""
        nothing = torch.zeros((0, 0, 0, 0), device=device)
        return cls(nothing, nothing, torch.zeros((0, 2), dtype=torch.int64, device=device))
