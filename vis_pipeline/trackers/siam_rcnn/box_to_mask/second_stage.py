"""SiamMask's second stage on tracked boxes (SiamMask multi-object, section 5)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vis_pipeline.trackers.siam_rcnn.box_to_mask.base import BoxesInFrame
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor


class SecondStage:
    """Cuts template and search from the same box of the same frame: there is no state, and nothing to drift.

    The boxes of all frames go through the network together.
    """

    def __init__(self, predictor: SiamMaskPredictor) -> None:
        self._predictor = predictor

    def masks(self, frames: Sequence[BoxesInFrame]) -> list[Tensor]:
        """Two passes of the trunk for each box."""
        return self._predictor.segment_each([(frame.image, _with_sides(frame.boxes.double())) for frame in frames])


def _with_sides(boxes: Tensor) -> Tensor:
    """x1, y1, x2, y2 as x, y, w, h, [N, 4]."""
    return torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1)
