"""The detector's contract: a batch of frames in, one :class:`Detections` a frame out; and that of its trunk alone."""

from collections.abc import Sequence
from typing import Protocol

from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.regions import RegionFeatures


class Detector(Protocol):
    """Anything that finds instances in frames."""

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Detect in each frame of a batch; the frames of one batch have one size."""
        ...


class RegionSource(Protocol):
    """Anything that knows the features and proposals of frames, and detects nothing."""

    def regions(self, frames: Sequence[Frame]) -> list[RegionFeatures]:
        """Those of each frame of a batch; the frames of one batch have one size."""
        ...
