"""HTC, and any other mmdet instance-segmentation model, as a :class:`~detectors.base.Detector`.

A batch of frames is resized and normalised as one tensor on the device and goes through the model's own predict path;
masks are pasted only for the detections that are kept. The results are those of mmdet's `inference_detector` on the
same images, whose per-image pipeline in Python costs more than the network (design notes, section 6).
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData
from torch import Tensor, nn

from detectors.mmdet_config import class_count, find
from detectors.mmdet_network import build_model, class_names, frame_scale, model_inputs, model_settings
from vis_pipeline.errors import ConfigError
from vis_pipeline.masks.boxes import minmax_boxes
from vis_pipeline.settings.device import torch_device
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.regions import RegionFeatures


class MmdetDetector:
    """Detects with an mmdet model.

    `config` is a path, a packaged name or `mmdet::folder/name.py`; `class_map` gives, for each class of the model, a
    category id of the split or None, and detections of that class are dropped. At most `max_per_frame` detections with
    a score of at least `score_threshold` are kept a frame, best first.

    Raises:
        ConfigError: the config cannot be used for detecting, or the class map is not as long as the model's classes.
        WeightsError: the checkpoint is missing, damaged, or does not fit the model.
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
        settings = model_settings(config, checkpoint)
        self._device = torch_device(str(device))
        self._scale = frame_scale(settings, config)
        _widen_limits(settings, score_threshold, max_per_frame)
        self._model: Any = build_model(settings, config, checkpoint).to(self._device).eval()
        count = class_count(settings.model)
        if count is not None and count != len(class_map):
            raise ConfigError(f"config {config}: the model has {count} classes, the class map {len(class_map)}")
        self._categories = torch.tensor([-1 if entry is None else entry for entry in class_map], device=self._device)
        self._known = torch.tensor([entry is not None for entry in class_map], device=self._device)
        self._score_threshold = score_threshold
        self._max_per_frame = max_per_frame
        _keep_before_masks(self._model, self._kept)

    @classmethod
    def from_config(
        cls,
        config: str,
        checkpoint: Path,
        make_class_map: Callable[[Sequence[str]], Sequence[int | None]],
        score_threshold: float = 0.05,
        max_per_frame: int = 100,
        device: torch.device | str = "cpu",
    ) -> "MmdetDetector":
        """Build with a class map that is made from the names of the model's classes."""
        class_map = make_class_map(class_names(config, checkpoint))
        return cls(config, checkpoint, class_map, score_threshold, max_per_frame, device)

    @torch.inference_mode()
    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Detect in frames of one size, in one pass through the network."""
        if not frames:
            return []
        inputs, samples = model_inputs(self._model, frames, self._scale, self._device)
        predicted = list(self._predicted(inputs, samples))
        height, width = frames[0].image.shape[:2]
        kept = self._kept([found for found, _ in predicted])
        # Networks without boxes (SOLO) give zeros for them.
        boxed = torch.stack([instances.bboxes.any() for instances in kept]).tolist()
        return [
            replace(self._detections(found, has_boxes, height, width), regions=regions)
            for found, has_boxes, (_, regions) in zip(kept, boxed, predicted, strict=True)
        ]

    def _predicted(
        self, inputs: Tensor, samples: list[DetDataSample]
    ) -> Iterable[tuple[InstanceData, RegionFeatures | None]]:
        """What the network finds in each frame of a batch; there are no regions to ask again."""
        predictions = self._model.predict(inputs, samples, rescale=True)
        return ((prediction.pred_instances, None) for prediction in predictions)

    def _kept(self, found: Sequence[InstanceData]) -> list[InstanceData]:
        """What is to be kept of each frame, best first; the device is waited for once for all frames."""
        orders, counts = [], []
        for instances in found:
            # SOLO's labels are no integers where it finds nothing.
            wanted = (instances.scores >= self._score_threshold) & self._known[instances.labels.long()]
            orders.append(instances.scores.masked_fill(~wanted, -1.0).argsort(descending=True, stable=True))
            counts.append(wanted.sum())
        least = [min(count, self._max_per_frame) for count in torch.stack(counts).tolist()]
        return [instances[order[:count]] for instances, order, count in zip(found, orders, least, strict=True)]

    def _detections(self, kept: InstanceData, boxed: bool, height: int, width: int) -> Detections:
        if len(kept) == 0:
            return Detections.none(height, width, self._device)
        masks = kept.masks.to(device=self._device, dtype=torch.bool)
        boxes = kept.bboxes.float() if boxed else _corners(minmax_boxes(masks)).float()
        x, y = boxes[:, 0::2].clamp(0, width), boxes[:, 1::2].clamp(0, height)
        return Detections(
            boxes=torch.stack([x, y], dim=2).flatten(1),
            scores=kept.scores.float(),
            labels=self._categories[kept.labels],
            masks=masks,
        )


def _widen_limits(settings: Config, score_threshold: float, max_per_frame: int) -> None:
    """Let the config's own limits not cut what ours would keep."""
    limits = find(find(settings.model, "test_cfg"), "rcnn")
    if limits is not None:
        limits["score_thr"] = min(limits.get("score_thr", 0.0), score_threshold)
        limits["max_per_img"] = max(limits.get("max_per_img", 0), max_per_frame)


def _corners(boxes: Tensor) -> Tensor:
    """x, y, w, h as x1, y1, x2, y2 with exclusive ends, [N, 4]."""
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)


def _keep_before_masks(model: nn.Module, keep: Callable[[Sequence[InstanceData]], list[InstanceData]]) -> None:
    """Have a two-stage model predict masks only for the detections that `keep` leaves; others keep their own order."""
    head = getattr(model, "roi_head", None)
    if head is None:
        return
    predict = head.predict_mask

    def predict_kept(*args: Any, **kwargs: Any) -> Any:
        call = inspect.signature(predict).bind(*args, **kwargs)  # heads differ in how they pass the results
        results = call.arguments["results_list"]
        # QueryInst finds its masks by their places among all results.
        if not any("topk_inds" in found for found in results):
            call.arguments["results_list"] = keep(results)
        return predict(*call.args, **call.kwargs)

    head.predict_mask = predict_kept
