"""A pipeline's settings, from its config."""

from collections.abc import Sequence
from dataclasses import field, replace

from pydantic.dataclasses import dataclass

from detectors.choices import DetectorChoice
from vis_pipeline.settings.config import STRICT, load_config, parse
from vis_pipeline.trackers.choices import TrackerChoice
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings


@dataclass(frozen=True, config=STRICT)
class PipelineSettings:
    """A whole pipeline: what detects, what predicts where tracks go, and how the two become tracks."""

    detector: DetectorChoice
    tracker: TrackerChoice
    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def with_absolute_paths(self) -> "PipelineSettings":
        """The same for a process that runs in another folder: whatever is a file here is named in full."""
        return replace(self, detector=self.detector.with_absolute_paths(), tracker=self.tracker.with_absolute_paths())


def load_pipeline(name: str, options: Sequence[str] = ()) -> PipelineSettings:
    """Read a pipeline config.

    Raises:
        ConfigError: the config cannot be found, read, or understood; or a part that it names cannot be found.
    """
    settings = parse(PipelineSettings, load_config(name, options), f"config {name}")
    settings.detector.require_found()
    return settings
