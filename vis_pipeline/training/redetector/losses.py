"""What the cascade learns from pairs (the paper, section 3.1) and from hard examples (section 3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor

from vis_pipeline.structures.regions import RegionFeatures
from vis_pipeline.trackers.siam_rcnn.redetector import BACKGROUND, OBJECT, STAGE_IOUS, RedetectionStage, Redetector
from vis_pipeline.training.redetector.store import NARROW, WIDE

EXAMPLE_BOXES = (WIDE, NARROW, NARROW)
"""Which stored box of a hard example each stage learns from: what comes out of a stage is near its object."""


@dataclass(frozen=True)
class HardExamples:
    """Boxes of other sights that one template is compared with, whose features are known.

    Attributes:
        negatives: float32 [N, 3, C, 7, 7], of other objects: their true boxes, these moved far and a little.
        positives: float32 [P, 3, C, 7, 7], of the template's object, as well.
        boxes: float32 [P, 3, 4], those boxes of the positives; the first is the true one.
    """

    negatives: Tensor
    positives: Tensor
    boxes: Tensor


def cascade_losses(
    network: Redetector,
    templates: Tensor,
    sights: Sequence[RegionFeatures],
    boxes: Sequence[Tensor],
    objects: Tensor,
) -> dict[str, Tensor]:
    """Losses of B pairs: class and box of each stage, whose boxes are those that the stage before it made.

    Args:
        network: the three stages.
        templates: float32 [B, C, 7, 7].
        sights: of the targets' frames.
        boxes: B times float32 [K_b, 4], what is compared there.
        objects: float32 [B, 4], the target's true box.

    Returns:
        `class_1` to `class_3`, two-class cross entropy, mean over boxes; `box_1` to `box_3`, smooth L1 of the positive
        boxes' offsets, summed and divided by the number of all boxes.
    """
    counts = [len(own) for own in boxes]
    owners = torch.repeat_interleave(torch.tensor(counts, device=templates.device))
    true, repeated = objects[owners], templates[owners]
    current, losses = list(boxes), {}
    for number, (stage, threshold) in enumerate(zip(network.cascade, STAGE_IOUS, strict=True), start=1):
        features = torch.cat([sight.align(own) for sight, own in zip(sights, current, strict=True)])
        logits, offsets = stage(repeated, features)
        flat = torch.cat(current)
        positive = paired_iou(flat, true) >= threshold
        losses[f"class_{number}"] = F.cross_entropy(logits, _labels(positive))
        losses[f"box_{number}"] = _box_loss(stage, offsets, flat, true, positive) / max(len(flat), 1)
        parts = zip(sights, current, offsets.detach().split(counts), strict=True)
        current = [stage.moved(own, shifts, sight.size) for sight, own, shifts in parts]
    return losses


def hard_example_losses(network: Redetector, templates: Tensor, examples: Sequence[HardExamples]) -> dict[str, Tensor]:
    """Losses of B templates with their hard examples: `negative`, `positive` and `positive_box`, summed over stages.

    Each is a mean over the examples (of the box, over the positive ones), as in the release.
    """
    zero = templates.new_zeros(())
    losses = {"negative": zero, "positive": zero, "positive_box": zero}
    negatives = torch.cat([own.negatives for own in examples])
    positives = torch.cat([own.positives for own in examples])
    boxes = torch.cat([own.boxes for own in examples])
    of_negatives = _owners([len(own.negatives) for own in examples], templates)
    of_positives = _owners([len(own.positives) for own in examples], templates)
    for stage, threshold, kind in zip(network.cascade, STAGE_IOUS, EXAMPLE_BOXES, strict=True):
        if len(negatives):
            logits, _ = stage(templates[of_negatives], negatives[:, kind])
            labels = torch.full((len(negatives),), BACKGROUND, device=logits.device)
            losses["negative"] = losses["negative"] + F.cross_entropy(logits, labels)
        if len(positives):
            logits, offsets = stage(templates[of_positives], positives[:, kind])
            positive = paired_iou(boxes[:, kind], boxes[:, 0]) >= threshold
            losses["positive"] = losses["positive"] + F.cross_entropy(logits, _labels(positive))
            box = _box_loss(stage, offsets, boxes[:, kind], boxes[:, 0], positive)
            losses["positive_box"] = losses["positive_box"] + box / positive.sum().clamp(min=1)
    return losses


def paired_iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU of K pairs of boxes, float32 [K, 4] each, x1, y1, x2, y2: [K]; 0 where both are empty."""
    overlaps: Tensor = bbox_overlaps(first, second, is_aligned=True)
    return overlaps


def _owners(counts: Sequence[int], templates: Tensor) -> Tensor:
    return torch.repeat_interleave(torch.tensor(counts, dtype=torch.int64, device=templates.device))


def _labels(positive: Tensor) -> Tensor:
    return torch.where(positive, OBJECT, BACKGROUND)


def _box_loss(stage: RedetectionStage, offsets: Tensor, boxes: Tensor, objects: Tensor, positive: Tensor) -> Tensor:
    """Smooth L1 of the positive boxes' offsets, summed."""
    wanted = stage.targets(boxes[positive], objects[positive])
    return F.smooth_l1_loss(offsets[positive], wanted, reduction="sum")
