"""The mask head of an mmdet two-stage model on boxes that it did not find itself."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from mmengine.structures import InstanceData
from torch import Tensor

from vis_pipeline.errors import ConfigError


class MaskBranch:
    """A model's mask head, in the frames of one model; boxes are in pixels of the fitted frame.

    A head that has a mask for each class gives that of the class which the model's own box head sees in the box.

    Args:
        roi_head: of a two-stage model.
        config: what messages call the model.
    """

    def __init__(self, roi_head: Any, config: str) -> None:
        self._head = roi_head
        self._config = config

    @torch.inference_mode()
    def masks(self, levels: Sequence[Tensor], boxes: Tensor, sample: DetDataSample) -> Tensor:
        """Masks of boxes, bool [N, H, W] at the size of the frame itself.

        Args:
            levels: of the one frame, float32 [1, C, h, w] each, all that the neck gives.
            boxes: float32 [N, 4].
            sample: what mmdet is told of the frame.

        Raises:
            ConfigError: the model has no mask head.
        """
        if not getattr(self._head, "with_mask", False):
            raise ConfigError(f"config {self._config}: its model has no mask head; take another detector, or SiamMask")
        height, width = sample.ori_shape
        if not len(boxes):
            return torch.zeros((0, height, width), dtype=torch.bool, device=boxes.device)
        parts = {"x": tuple(levels), "batch_img_metas": [sample.metainfo], "rescale": True}
        if getattr(self._head, "with_semantic", False):
            parts["semantic_feat"] = parts["semantic_heat"] = self._head.semantic_head(tuple(levels))[1]
        else:
            parts["semantic_feat"] = parts["semantic_heat"] = None
        labels = self._labels(boxes, parts)
        # mmdet scales these boxes in place.
        found = InstanceData(bboxes=boxes.clone(), labels=labels)
        # The class's own: a detector may have set another one that drops what it would not keep.
        predict = type(self._head).predict_mask.__get__(self._head)
        (predicted,) = _called(predict, {**parts, "results_list": [found]})
        masks: Tensor = predicted.masks
        return masks.bool()

    def _labels(self, boxes: Tensor, parts: Mapping[str, Any]) -> Tensor:
        """The class whose mask is wanted, int64 [N]."""
        heads = self._head.mask_head
        last = heads[-1] if isinstance(heads, torch.nn.ModuleList) else heads
        if getattr(last, "class_agnostic", False):
            return torch.zeros(len(boxes), dtype=torch.int64, device=boxes.device)
        scores = _called(self._head._bbox_forward, {**parts, "stage": -1, "rois": bbox2roi([boxes])})["cls_score"]
        classes: Tensor = scores[:, : last.num_classes].argmax(dim=1)
        return classes


def _called(function: Callable[..., Any], parts: Mapping[str, Any]) -> Any:
    """Heads differ in what they are given."""
    names = inspect.signature(function).parameters
    return function(**{name: part for name, part in parts.items() if name in names})
