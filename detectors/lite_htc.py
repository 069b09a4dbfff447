"""HTC on a light trunk, learned from pictures in which only some classes are labelled.

The parts stand in mmdet's registry: the trunk, the cascade in mixed precision, and heads that know what is not known. A
picture's `unlabelled` (in the metainfo of its data sample; class indices, none by default) are the classes of which it
may show objects without a label. What matches no label there may be one of them:

* a proposal that matches nothing teaches that it is background **or** one of these classes, and nothing at all where
  that is every class (:func:`partial_cross_entropy`);
* an anchor that matches nothing teaches nothing as soon as there is one such class: objectness is that of any class.

Labelled objects teach as ever.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmdet.models.dense_heads import RPNHead
from mmdet.models.detectors import HybridTaskCascade
from mmdet.models.roi_heads import HybridTaskCascadeRoIHead
from mmdet.models.roi_heads.bbox_heads import Shared2FCBBoxHead
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from vis_pipeline.backbones.efficientnet_lite import EfficientNetLite0
from vis_pipeline.weights.efficientnet_lite import load_efficientnet_lite0
from vis_pipeline.weights.imagenet import LoadReport
from vis_pipeline.weights.normalisation import Normalisation

UNLABELLED = "unlabelled"


@MODELS.register_module()
class EfficientNetLite0Backbone(BaseModule):  # type: ignore[misc]
    """The trunk with its batch norms, which stay as ImageNet left them, folded into the convolutions.

    `frozen_stages` counts levels, as mmdet's word is: the first so many do not learn. See
    :class:`~vis_pipeline.backbones.efficientnet_lite.EfficientNetLite0` for the others.
    """

    def __init__(
        self,
        levels: Sequence[int] = (2, 3, 4, 5),
        frozen_stages: int = 0,
        frozen_depthwise: bool = False,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        self.frozen_stages = frozen_stages
        trunk = EfficientNetLite0(
            levels, frozen_levels=frozen_stages, frozen_depthwise=frozen_depthwise, frozen_norms=True
        )
        self.trunk: EfficientNetLite0 = trunk.fold_norms().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Features of the chosen levels, channels-last."""
        features: tuple[Tensor, ...] = self.trunk(images.contiguous(memory_format=torch.channels_last))
        return features

    def start_from(self, path: Path, images: Normalisation) -> LoadReport:
        """Take the published weights, for images that come as `images` says.

        Raises:
            WeightsError: as :func:`~vis_pipeline.weights.efficientnet_lite.load_efficientnet_lite0`.
        """
        learned = EfficientNetLite0(self.trunk.output_levels)
        report = load_efficientnet_lite0(learned, path, images)
        self.trunk.load_state_dict(learned.fold_norms().state_dict())
        return report


@MODELS.register_module()
class MixedPrecisionHTC(HybridTaskCascade):  # type: ignore[misc]
    """HTC that learns with convolutions and products in `train_dtype` and predicts in float32.

    bfloat16 needs no scaling of the loss, and CPUs with matrix units compute in it several times as fast. Features go
    to the heads in float32 and NCHW, for mmcv's RoIAlign on the CPU knows nothing else (and misreads channels-last).
    """

    def __init__(self, train_dtype: str | None = None, **parts: Any) -> None:
        super().__init__(**parts)
        self._train_dtype = None if train_dtype is None else getattr(torch, train_dtype)

    def loss(self, batch_inputs: Tensor, batch_data_samples: Any) -> Any:
        """As mmdet's, in mixed precision."""
        with self._mixed(batch_inputs.device.type):
            return super().loss(batch_inputs, batch_data_samples)

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Features of all levels, float32 [N, C, H_l, W_l], contiguous."""
        return tuple(feature.float().contiguous() for feature in super().extract_feat(batch_inputs))

    def _mixed(self, device: str) -> AbstractContextManager[Any]:
        return nullcontext() if self._train_dtype is None else torch.autocast(device, self._train_dtype)


@MODELS.register_module()
class PartlyLabelledRPNHead(RPNHead):  # type: ignore[misc]
    """Learns objectness, and takes no anchor for background in a picture that may show unlabelled objects."""

    def forward_single(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """As mmdet's; in float32, which decoding boxes needs."""
        scores, offsets = super().forward_single(x)
        return scores.float(), offsets.float()

    def _get_targets_single(
        self, flat_anchors: Tensor, valid_flags: Tensor, gt_instances: Any, img_meta: Any, *args: Any, **kwargs: Any
    ) -> Any:
        targets = super()._get_targets_single(flat_anchors, valid_flags, gt_instances, img_meta, *args, **kwargs)
        if img_meta.get(UNLABELLED):
            labels, weights = targets[:2]
            weights[labels == self.num_classes] = 0.0
        return targets


@MODELS.register_module()
class PartlyLabelledBBoxHead(Shared2FCBBoxHead):  # type: ignore[misc]
    """Learns classes by :func:`partial_cross_entropy`, once :meth:`set_unlabelled` has said what is not labelled."""

    def set_unlabelled(self, classes: Sequence[Sequence[int]]) -> None:
        """For each picture of the batch, the classes that are not labelled in it."""
        self._unlabelled = classes

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """As mmdet's; in float32, which decoding boxes needs."""
        scores, offsets = super().forward(x)
        return scores.float(), offsets.float()

    def loss(
        self, cls_score: Tensor, bbox_pred: Tensor, rois: Tensor, labels: Tensor, *args: Any, **kwargs: Any
    ) -> dict[str, Tensor]:
        """mmdet's losses, with that of the classes put in."""
        losses: dict[str, Tensor] = super().loss(cls_score, bbox_pred, rois, labels, *args, **kwargs)
        possible = F.one_hot(labels, self.num_classes + 1).bool()
        images, background = rois[:, 0].long(), labels == self.num_classes
        for image, classes in enumerate(self._unlabelled):
            rows = (background & (images == image)).nonzero()
            possible[rows, torch.tensor(classes, dtype=torch.int64, device=labels.device)] = True
        losses["loss_cls"] = self.loss_cls.loss_weight * partial_cross_entropy(cls_score, possible)
        return losses


@MODELS.register_module()
class PartlyLabelledRoIHead(HybridTaskCascadeRoIHead):  # type: ignore[misc]
    """HTC's cascade with :class:`PartlyLabelledBBoxHead`."""

    def loss(self, x: tuple[Tensor, ...], rpn_results_list: Any, batch_data_samples: Any) -> Any:
        """As mmdet's."""
        unlabelled = [sample.metainfo.get(UNLABELLED, ()) for sample in batch_data_samples]
        for head in self.bbox_head:
            head.set_unlabelled(unlabelled)
        return super().loss(x, rpn_results_list, batch_data_samples)


def partial_cross_entropy(scores: Tensor, possible: Tensor) -> Tensor:
    """-log of the probability that the answer is one of the `possible` ones, mean over the rows that can be wrong.

    Args:
        scores: float [N, C], logits.
        possible: bool [N, C], at least one a row. One alone gives the cross entropy; all of them, nothing.

    Returns:
        A scalar; 0 where no row can be wrong.
    """
    telling = ~possible.all(dim=1)
    lost = scores.logsumexp(dim=1) - scores.masked_fill(~possible, -torch.inf).logsumexp(dim=1)
    return torch.where(telling, lost, 0.0).sum() / telling.sum().clamp(min=1)
