"""What a detector finds in one frame."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from vis_pipeline.structures.regions import RegionFeatures


@dataclass(frozen=True)
class Detections:
    """The M detections of one frame; all tensors lie on one device.

    Attributes:
        boxes: float32 [M, 4], x1, y1, x2, y2 in pixels of the frame, right and bottom edges exclusive.
        scores: float32 [M], in 0..1.
        labels: int64 [M], category ids of the split that is processed (not indices into a class list).
        masks: bool [M, H, W], at the size of the frame.
        regions: what the frame offers for being asked again, where the detector was built to give it; it belongs to
            the frame, not to one of the detections.

    Raises:
        ValueError: a field has another dtype or shape, or the fields disagree on M.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    masks: Tensor
    regions: RegionFeatures | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        count = len(self.scores)
        expected = {
            "boxes": (self.boxes, torch.float32, (count, 4)),
            "scores": (self.scores, torch.float32, (count,)),
            "labels": (self.labels, torch.int64, (count,)),
            "masks": (self.masks, torch.bool, (count, *self.masks.shape[1:])),
        }
        for name, (value, dtype, shape) in expected.items():
            if value.dtype != dtype or tuple(value.shape) != shape:
                raise ValueError(f"Detections.{name} is {value.dtype} {tuple(value.shape)}, expected {dtype} {shape}")
        if self.masks.ndim != 3:
            raise ValueError(f"Detections.masks has {self.masks.ndim} dimensions, expected 3")

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, chosen: Tensor) -> "Detections":
        """Some of the detections, by bool [M] or indices int64 [K]; the frame's regions stay."""
        return Detections(
            self.boxes[chosen], self.scores[chosen], self.labels[chosen], self.masks[chosen], self.regions
        )

    @classmethod
    def none(cls, height: int, width: int, device: torch.device | str = "cpu") -> "Detections":
        """No detections in a frame of this size."""
        return cls(
            boxes=torch.zeros((0, 4), device=device),
            scores=torch.zeros(0, device=device),
            labels=torch.zeros(0, dtype=torch.int64, device=device),
            masks=torch.zeros((0, height, width), dtype=torch.bool, device=device),
        )
