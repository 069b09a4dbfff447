"""A pipeline's settings, from its config."""

from collections.abc import Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from pydantic.dataclasses import dataclass

from detectors.choices import DetectorChoice
from vis_pipeline.settings.config import STRICT, load_config, parse
from vis_pipeline.structures.splits import Category
from vis_pipeline.trackers.choices import TrackerChoice
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings

if TYPE_CHECKING:
    import torch

    from detectors.base import Detector


@dataclass(frozen=True, config=STRICT)
class PipelineSettings:
    """A whole pipeline: what detects, what predicts where tracks go, and how the two become tracks."""

    detector: DetectorChoice
    tracker: TrackerChoice
    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def with_absolute_paths(self) -> "PipelineSettings":
        """The same for a process that runs in another folder: whatever is a file here is named in full."""
        return replace(self, detector=self.detector.with_absolute_paths(), tracker=self.tracker.with_absolute_paths())

    def build_detector(self, categories: Sequence[Category], device: "torch.device") -> "Detector":
        """Load the detector; its detections come with regions where the tracker needs them.

        Raises:
            ConfigError: its config or class map cannot be used, or the tracker needs regions and its model has none.
            WeightsError: its weights are missing or do not fit.
        """
        build = self.detector.build_with_regions if self.tracker.needs_regions else self.detector.build
        return build(categories, device)

    def with_regions(self, recorded: "Detector", device: "torch.device") -> "Detector":
        """Detections from elsewhere, with the detector's regions where the tracker needs them.

        Raises:
            ConfigError, WeightsError: as :meth:`build_detector`.
        """
        if not self.tracker.needs_regions:
            return recorded
        from detectors.joined_regions import WithRegions

        return WithRegions(recorded, self.detector.region_source(device))


def load_pipeline(name: str, options: Sequence[str] = ()) -> PipelineSettings:
    """Read a pipeline config.

    Raises:
        ConfigError: the config cannot be found, read, or understood; or a part that it names cannot be found.
    """
    settings = parse(PipelineSettings, load_config(name, options), f"config {name}")
    settings.detector.require_found()
    return settings
