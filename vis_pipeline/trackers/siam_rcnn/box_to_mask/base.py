"""What a part that makes masks of boxes is given, and what it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from vis_pipeline.structures.regions import RegionFeatures


@dataclass(frozen=True)
class BoxesInFrame:
    """Boxes in one frame; everything on one device.

    Attributes:
        image: uint8 [H, W, 3], BGR.
        regions: of the frame.
        boxes: float32 [N, 4], x1, y1, x2, y2 in pixels, sides above 0.
    """

    image: Tensor
    regions: RegionFeatures
    boxes: Tensor


class BoxToMask(Protocol):
    """Box2Seg."""

    def masks(self, frames: Sequence[BoxesInFrame]) -> list[Tensor]:
        """For each frame a mask of each box, bool [N, H, W]; what a frame is given does not depend on the others."""
        ...
