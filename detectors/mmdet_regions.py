"""The regions of frames from mmdet's two-stage models: proposals, and features of any box, beside the detections.

The backbone, the neck and the proposal network run once a frame, for the detections and for whoever asks again.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.models.detectors import TwoStageDetector
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor, nn

from detectors.mmdet_masks import MaskBranch
from detectors.mmdet_model import MmdetDetector
from detectors.mmdet_network import build_model, frame_scale, model_inputs, model_settings
from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.device import torch_device
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.regions import REGION_SIZE, RegionFeatures


class PyramidRegions:
    """A :class:`~vis_pipeline.structures.regions.RegionFeatures` over the levels of a feature pyramid.

    Args:
        levels: float32 [1, C, h, w] each, NCHW in memory (mmcv's RoIAlign misreads channels-last ones on the CPU).
        proposals: float32 [P, 4], in pixels of the fitted frame that the levels are of.
        sample: what mmdet is told of the frame.
        extractor: mmdet's RoI extractor.
        branch: what makes masks.
    """

    def __init__(
        self, levels: Sequence[Tensor], proposals: Tensor, sample: DetDataSample, extractor: Any, branch: MaskBranch
    ) -> None:
        self.size: tuple[int, int] = sample.ori_shape
        self.channels: int = extractor.out_channels
        self._levels = tuple(levels)
        self._proposals = proposals
        self._sample = sample
        self._extractor = extractor
        self._branch = branch

    @property
    def proposals(self) -> Tensor:
        """Float32 [P, 4], best first, in pixels of the frame, inside it."""
        height, width = self.size
        limit = self._proposals.new_tensor([width, height, width, height])
        return torch.minimum((self._proposals / self._fitted(self._proposals)).clamp(min=0), limit)

    @torch.inference_mode()
    def align(self, boxes: Tensor) -> Tensor:
        """Features of boxes [K, 4] in pixels of the frame: float32 [K, C, 7, 7]."""
        places = torch.cat([boxes.new_zeros((len(boxes), 1)), boxes * self._fitted(boxes)], dim=1)
        features: Tensor = self._extractor(self._levels[: self._extractor.num_inputs], places)
        return features.float()

    def masks(self, boxes: Tensor) -> Tensor:
        """What the model's mask head makes of boxes [N, 4] in pixels of the frame: bool [N, H, W].

        Raises:
            ConfigError: the model has none.
        """
        return self._branch.masks(self._levels, boxes * self._fitted(boxes), self._sample)

    def _fitted(self, boxes: Tensor) -> Tensor:
        """Pixels of the fitted frame to one of the frame itself, along x and y, twice."""
        return boxes.new_tensor([*self._sample.scale_factor, *self._sample.scale_factor])


class RegionTrunk:
    """A two-stage model up to its proposals.

    Raises:
        ConfigError: the model (of `config`) has no proposals, or no features of 7x7 for each of them.
    """

    def __init__(self, model: nn.Module, config: str) -> None:
        self.model: Any = model
        self._extractor = _extractor(model, config)
        self._branch = MaskBranch(self.model.roi_head, config)

    def proposed(self, inputs: Tensor, samples: list[DetDataSample]) -> tuple[tuple[Tensor, ...], list[InstanceData]]:
        """Features of all levels, float32 [B, C, h, w] each, and the proposals of each frame of a batch."""
        features: tuple[Tensor, ...] = self.model.extract_feat(inputs)
        return features, self.model.rpn_head.predict(features, samples, rescale=False)

    def regions(
        self, features: Sequence[Tensor], proposals: Sequence[InstanceData], samples: Sequence[DetDataSample]
    ) -> list[RegionFeatures]:
        """The regions of each frame of a batch, by reference."""
        return [
            PyramidRegions(
                [level[index : index + 1] for level in features],
                found.bboxes,
                sample,
                self._extractor,
                self._branch,
            )
            for index, (found, sample) in enumerate(zip(proposals, samples, strict=True))
        ]


class MmdetRegionDetector(MmdetDetector):
    """A :class:`~detectors.mmdet_model.MmdetDetector` whose detections come with the regions of their frame.

    The detections are the same, byte by byte.

    Raises:
        ConfigError: as its, or the model has no regions (see :class:`RegionTrunk`).
        WeightsError: as its.
    """

    def __init__(
        self,
        config: str,
        checkpoint: Path,
        class_map: Sequence[int | None],
        score_threshold: float = 0.05,
        max_per_frame: int = 100,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(config, checkpoint, class_map, score_threshold, max_per_frame, device)
        self._trunk = RegionTrunk(self._model, config)

    def _predicted(
        self, inputs: Tensor, samples: list[DetDataSample]
    ) -> Iterable[tuple[InstanceData, RegionFeatures | None]]:
        features, proposals = self._trunk.proposed(inputs, samples)
        regions = self._trunk.regions(features, proposals, samples)
        found = self._model.roi_head.predict(features, proposals, samples, rescale=True)
        return zip(found, regions, strict=True)


class MmdetRegions:
    """A :class:`~detectors.base.RegionSource`: a model's trunk and proposal network alone.

    Raises:
        ConfigError: the config cannot be used for detecting, or its model has no regions (see :class:`RegionTrunk`).
        WeightsError: the checkpoint is missing, damaged, or does not fit the model.
    """

    def __init__(self, config: str, checkpoint: Path, device: torch.device | str = "cpu") -> None:
        settings = model_settings(config, checkpoint)
        self._device = torch_device(str(device))
        self._scale = frame_scale(settings, config)
        self._trunk = RegionTrunk(build_model(settings, config, checkpoint).to(self._device).eval(), config)

    @torch.inference_mode()
    def regions(self, frames: Sequence[Frame]) -> list[RegionFeatures]:
        """The regions of frames of one size, in one pass through the network."""
        if not frames:
            return []
        inputs, samples = model_inputs(self._trunk.model, frames, self._scale, self._device)
        features, proposals = self._trunk.proposed(inputs, samples)
        return self._trunk.regions(features, proposals, samples)


def _extractor(model: nn.Module, config: str) -> Any:
    """The RoI extractor of the first box head."""
    # Its descendants with a path of their own (Trident, panoptic ones) make more, or other, of the features.
    if not isinstance(model, TwoStageDetector) or type(model).predict is not TwoStageDetector.predict:
        raise _without_regions(config, f"{type(model).__name__} is not a plain two-stage detector")
    if not isinstance(getattr(model, "rpn_head", None), BaseDenseHead):
        raise _without_regions(config, f"{type(model).__name__} has no region proposal network")
    found: Any = model.roi_head.bbox_roi_extractor
    extractor: Any = found[0] if isinstance(found, nn.ModuleList) else found
    size = tuple(extractor.roi_layers[0].output_size)
    if size != (REGION_SIZE, REGION_SIZE):
        raise _without_regions(config, f"its box heads take features of {size[0]}x{size[1]}")
    return extractor


def _without_regions(config: str, reason: str) -> ConfigError:
    return ConfigError(
        f"config {config}: {reason}; re-detection takes a two-stage model with a feature pyramid, such as HTC or "
        f"Faster R-CNN, and RoI features of {REGION_SIZE}x{REGION_SIZE}"
    )
