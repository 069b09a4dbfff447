"""From a config to a working pipeline: typed settings, and the worker that each Ray actor builds once."""

from collections.abc import Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass

from detectors.class_maps import build_class_map
from detectors.htc import HTCDetector, class_names
from vis_pipeline.settings.config import STRICT, find_config, load_config, parse
from vis_pipeline.structures.splits import Category
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.siammask.presets import PRESETS, SiamMaskSettings
from vis_pipeline.weights.registry import resolve


@dataclass(frozen=True, config=STRICT)
class DetectorSettings:
    """The HTC detector.

    Attributes:
        config: mmdet config: a packaged name, a path, or `mmdet::...`.
        checkpoint: weights: a path, `bundled:NAME`, or a published name.
        class_map: `by-name`, `common`, `coco-to-ytvis2019`, `coco-to-ytvis2021`, `agnostic`, or a JSON file.
        score_threshold: detections below it are dropped.
        max_per_frame: detections of one frame at most.
        batch_size: frames that go through the network at once.
    """

    config: str
    checkpoint: str
    class_map: str = "by-name"
    score_threshold: float = Field(default=0.05, ge=0, le=1)
    max_per_frame: int = Field(default=50, ge=1)
    batch_size: int = Field(default=4, ge=1)


@dataclass(frozen=True, config=STRICT)
class SiamMaskChoice:
    """The tracker's network and how it is used.

    Attributes:
        checkpoint: weights: a path, `bundled:NAME`, or a published name.
        preset: the release's inference settings.
        stages: 1, or 2 for the cascade of SiamMask multi-object, section 5.
        mask_threshold, penalty_k, window_influence, size_rate, second_crop, batch: in place of the preset's; see
            :class:`~vis_pipeline.trackers.siammask.presets.SiamMaskSettings`.
    """

    checkpoint: str
    preset: Literal["davis", "vot", "vot18"] = "davis"
    stages: Literal[1, 2] = 2
    mask_threshold: float | None = Field(default=None, gt=0, lt=1)
    penalty_k: float | None = Field(default=None, ge=0)
    window_influence: float | None = Field(default=None, ge=0, le=1)
    size_rate: float | None = Field(default=None, ge=0, le=1)
    second_crop: Literal["located", "smoothed"] | None = None
    batch: int | None = Field(default=None, ge=1)

    def settings(self) -> SiamMaskSettings:
        """The preset with what is given here in its place."""
        own = ("mask_threshold", "penalty_k", "window_influence", "size_rate", "second_crop", "batch")
        given = {name: value for name in own if (value := getattr(self, name)) is not None}
        return replace(PRESETS[self.preset], stages=self.stages, **given)


@dataclass(frozen=True, config=STRICT)
class PipelineSettings:
    """A whole pipeline; `siammask` None links detections by masks, place and colours alone."""

    detector: DetectorSettings
    siammask: SiamMaskChoice | None
    tracking: TrackingSettings = field(default_factory=TrackingSettings)


def load_pipeline(name: str, options: Sequence[str] = ()) -> PipelineSettings:
    """Read a pipeline config.

    Raises:
        ConfigError: the config cannot be found, read, or understood; or a part that it names cannot be found.
    """
    settings = parse(PipelineSettings, load_config(name, options), f"config {name}")
    if not settings.detector.config.startswith("mmdet::"):
        find_config(settings.detector.config)
    return settings


def with_absolute_paths(settings: PipelineSettings) -> PipelineSettings:
    """The same settings for a process that runs in another folder: whatever is a file here is named in full."""
    detector = replace(
        settings.detector,
        config=absolute_reference(settings.detector.config),
        checkpoint=absolute_reference(settings.detector.checkpoint),
        class_map=absolute_reference(settings.detector.class_map),
    )
    siammask = settings.siammask and replace(
        settings.siammask, checkpoint=absolute_reference(settings.siammask.checkpoint)
    )
    return replace(settings, detector=detector, siammask=siammask)


def absolute_reference(reference: str) -> str:
    """A file that is here by its whole path, for a process that runs in another folder; any other name as it is."""
    path = Path(reference)
    return str(path.resolve()) if path.is_file() else reference


def build_detector(settings: DetectorSettings, categories: Sequence[Category], device: torch.device) -> HTCDetector:
    """The detector of a pipeline, for a split with these categories.

    Raises:
        ConfigError: its config or class map cannot be used.
        WeightsError: its weights are missing or do not fit.
    """
    return HTCDetector.from_config(
        settings.config,
        resolve(settings.checkpoint),
        lambda classes: build_class_map(classes, categories, settings.class_map),
        score_threshold=settings.score_threshold,
        max_per_frame=settings.max_per_frame,
        device=device,
    )


def detector_categories(settings: DetectorSettings) -> tuple[Category, ...]:
    """The classes of a pipeline's detector as categories, with ids from 1 in the order of its outputs.

    Raises:
        ConfigError: its config cannot be used, or does not name them.
        WeightsError: its weights are missing or cannot be read.
    """
    names = class_names(settings.config, resolve(settings.checkpoint))
    return tuple(Category(number, name) for number, name in enumerate(names, start=1))
