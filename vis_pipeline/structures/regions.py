"""What a frame offers for being asked again: proposals, and the detector's features of any box."""

from typing import Protocol, runtime_checkable

from torch import Tensor

REGION_SIZE = 7


class RegionFeatures(Protocol):
    """One frame, as the trunk of a two-stage detector saw it.

    It holds the features of its frame, and of those that were detected in the same batch: let it go with the frame.
    What is taken from it (`proposals`, `align`) is computed when it is asked for.

    Attributes:
        size: height and width of the frame in pixels.
        channels: C of what :meth:`align` gives.
        proposals: float32 [P, 4], the proposal network's boxes, best first, as many as the detector's config lets
            through: x1, y1, x2, y2 in pixels of the frame, right and bottom edges exclusive, inside the frame.
    """

    @property
    def size(self) -> tuple[int, int]: ...  # noqa: D102

    @property
    def channels(self) -> int: ...  # noqa: D102

    @property
    def proposals(self) -> Tensor: ...  # noqa: D102

    def align(self, boxes: Tensor) -> Tensor:
        """Features of boxes, as the detector's own box heads are given them.

        Args:
            boxes: float32 [K, 4], x1, y1, x2, y2 in pixels of the frame, on its device.

        Returns:
            float32 [K, C, 7, 7], contiguous; K = 0 gives none.
        """
        ...


@runtime_checkable
class MaskedRegions(RegionFeatures, Protocol):
    """Regions of a detector that segments, too."""

    def masks(self, boxes: Tensor) -> Tensor:
        """What the detector's own mask head makes of boxes.

        Args:
            boxes: float32 [N, 4], x1, y1, x2, y2 in pixels of the frame, on its device.

        Returns:
            bool [N, H, W], at the size of the frame.

        Raises:
            ConfigError: the detector has no mask head.
        """
        ...
