"""The detector's own mask head on tracked boxes."""

from collections.abc import Sequence

from torch import Tensor

from vis_pipeline.errors import ConfigError
from vis_pipeline.structures.regions import MaskedRegions
from vis_pipeline.trackers.siam_rcnn.box_to_mask.base import BoxesInFrame


class MaskHead:
    """Asks the regions; they have the frame's features already."""

    def masks(self, frames: Sequence[BoxesInFrame]) -> list[Tensor]:
        """Frame by frame.

        Raises:
            ConfigError: the detector has no mask head.
        """
        return [_masks(frame) for frame in frames]


def _masks(frame: BoxesInFrame) -> Tensor:
    if not isinstance(frame.regions, MaskedRegions):
        raise ConfigError("box_to_mask: the detector makes no masks of boxes; take SiamMask for them")
    return frame.regions.masks(frame.boxes)
