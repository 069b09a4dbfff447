"""Detections of one kind with regions of another: recorded or drawn ones can be asked again, too."""

from collections.abc import Sequence
from dataclasses import replace

from detectors.base import Detector, RegionSource
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame


class WithRegions:
    """A detector whose detections come with the regions that `source` knows of their frame."""

    def __init__(self, detector: Detector, source: RegionSource) -> None:
        self._detector = detector
        self._source = source

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The detector's detections in each frame, in their order, with its regions."""
        found, regions = self._detector.detect(frames), self._source.regions(frames)
        return [replace(detections, regions=own) for detections, own in zip(found, regions, strict=True)]
