"""Box2Seg: what makes masks of tracked boxes (Siam R-CNN, section 3.4)."""

from vis_pipeline.trackers.siam_rcnn.box_to_mask.base import BoxesInFrame, BoxToMask
from vis_pipeline.trackers.siam_rcnn.box_to_mask.layers import covered_by_confirmed, smallest_on_top

__all__ = ["BoxToMask", "BoxesInFrame", "covered_by_confirmed", "smallest_on_top"]
