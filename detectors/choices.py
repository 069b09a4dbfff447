"""What a pipeline's config may say of its detector: a class of settings for each family, told apart by `type`.

A further family is a module with its detector and settings like these, and its class in :data:`DetectorChoice`.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import Field
from pydantic.dataclasses import dataclass

from vis_pipeline.settings.config import STRICT, absolute_reference, find_config
from vis_pipeline.structures.splits import Category
from vis_pipeline.weights.registry import resolve

if TYPE_CHECKING:
    import torch

    from detectors.base import Detector, RegionSource
    from detectors.mmdet_model import MmdetDetector


@dataclass(frozen=True, config=STRICT)
class MmdetChoice:
    """A model of mmdet, such as HTC.

    Attributes:
        config: mmdet config: a packaged name, a path, or `mmdet::...`.
        checkpoint: weights: a path, `bundled:NAME`, or a published name.
        class_map: `by-name`, `common`, `coco-to-ytvis2019`, `coco-to-ytvis2021`, `everyday-to-ytvis2019`,
            `everyday-to-ytvis2021`, `agnostic`, or a JSON file.
        score_threshold: detections below it are dropped.
        max_per_frame: detections of one frame at most.
        batch_size: frames that go through the network at once.
        overlap_iou, overlap_share: of detections of any class that overlap by this mask IoU, or of which one lies in
            the other by this share, the best scored stays; see :mod:`detectors.overlaps`. None lets all stay.
    """

    config: str
    checkpoint: str
    class_map: str = "by-name"
    score_threshold: float = Field(default=0.05, ge=0, le=1)
    max_per_frame: int = Field(default=50, ge=1)
    batch_size: int = Field(default=4, ge=1)
    overlap_iou: float | None = Field(default=None, gt=0, le=1)
    overlap_share: float | None = Field(default=None, gt=0, le=1)
    type: Literal["mmdet"] = "mmdet"

    def require_found(self) -> None:
        """Raise ConfigError where the config is not there."""
        if not self.config.startswith("mmdet::"):
            find_config(self.config)

    def with_absolute_paths(self) -> "MmdetChoice":
        """The same for a process that runs in another folder: whatever is a file here is named in full."""
        return replace(
            self,
            config=absolute_reference(self.config),
            checkpoint=absolute_reference(self.checkpoint),
            class_map=absolute_reference(self.class_map),
        )

    def weights(self) -> Path:
        """The weight file.

        Raises:
            WeightsError: it is not there.
        """
        return resolve(self.checkpoint)

    def categories(self) -> tuple[Category, ...]:
        """The detector's classes as categories, with ids from 1 in the order of its outputs.

        Raises:
            ConfigError: its config cannot be used, or does not name them.
            WeightsError: its weights are missing or cannot be read.
        """
        from detectors.mmdet_network import class_names

        names = class_names(self.config, self.weights())
        return tuple(Category(number, name) for number, name in enumerate(names, start=1))

    def build(self, categories: Sequence[Category], device: "torch.device") -> "Detector":
        """The detector, for a split with these categories.

        Raises:
            ConfigError: its config or class map cannot be used.
            WeightsError: its weights are missing or do not fit.
        """
        from detectors.mmdet_model import MmdetDetector

        return _mmdet(MmdetDetector, self, categories, device)

    def build_with_regions(self, categories: Sequence[Category], device: "torch.device") -> "Detector":
        """The same detector, its detections with the regions of their frame.

        Raises:
            ConfigError: as :meth:`build`, or its model has no regions.
            WeightsError: its weights are missing or do not fit.
        """
        from detectors.mmdet_regions import MmdetRegionDetector

        return _mmdet(MmdetRegionDetector, self, categories, device)

    def region_source(self, device: "torch.device") -> "RegionSource":
        """The regions alone: the detector without its heads, whatever categories a split has.

        Raises:
            ConfigError: its config cannot be used, or its model has no regions.
            WeightsError: its weights are missing or do not fit.
        """
        from detectors.mmdet_regions import MmdetRegions

        return MmdetRegions(self.config, self.weights(), device)


DetectorChoice: TypeAlias = MmdetChoice
"""Any detector."""


def _mmdet(
    kind: "type[MmdetDetector]", choice: MmdetChoice, categories: Sequence[Category], device: "torch.device"
) -> "Detector":
    from detectors.class_maps import build_class_map
    from detectors.overlaps import WithoutOverlaps

    detector = kind.from_config(
        choice.config,
        choice.weights(),
        lambda classes: build_class_map(classes, categories, choice.class_map),
        score_threshold=choice.score_threshold,
        max_per_frame=choice.max_per_frame,
        device=device,
    )
    if choice.overlap_iou is None and choice.overlap_share is None:
        return detector
    return WithoutOverlaps(detector, choice.overlap_iou or math.inf, choice.overlap_share or math.inf)
