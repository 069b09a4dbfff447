"""What several of the packaged training configs say in the same way."""

from typing import Any


def warm_cosine(iterations: int, warm_up: int) -> list[dict[str, Any]]:
    """mmengine's schedulers for a rate that rises to its full height and falls along a cosine to 1e-6."""
    return [
        {"type": "LinearLR", "start_factor": 0.01, "by_epoch": False, "begin": 0, "end": warm_up},
        {
            "type": "CosineAnnealingLR",
            "by_epoch": False,
            "begin": warm_up,
            "end": iterations,
            "T_max": iterations - warm_up,
            "eta_min": 1e-6,
        },
    ]


def mild_colours() -> dict[str, Any]:
    """mmdet's transform that varies light and colours, milder than its default."""
    return {
        "type": "PhotoMetricDistortion",
        "brightness_delta": 24,
        "contrast_range": (0.7, 1.3),
        "saturation_range": (0.7, 1.3),
        "hue_delta": 18,
    }


def box_head(
    classes: int,
    channels: int,
    fc_channels: int,
    spread: tuple[float, float],
    kind: str = "Shared2FCBBoxHead",
    class_weight: float = 1.0,
    box_weight: float = 1.0,
) -> dict[str, Any]:
    """A stage's head of a cascade: `spread` are the deviations of the box's offsets and of its sides' logarithms."""
    return {
        "type": kind,
        "in_channels": channels,
        "fc_out_channels": fc_channels,
        "roi_feat_size": 7,
        "num_classes": classes,
        "bbox_coder": {
            "type": "DeltaXYWHBBoxCoder",
            "target_means": [0.0, 0.0, 0.0, 0.0],
            "target_stds": [spread[0], spread[0], spread[1], spread[1]],
        },
        "reg_class_agnostic": True,
        "loss_cls": {"type": "CrossEntropyLoss", "use_sigmoid": False, "loss_weight": class_weight},
        "loss_bbox": {"type": "SmoothL1Loss", "beta": 1.0, "loss_weight": box_weight},
    }


def mask_heads(classes: int, channels: int, convolutions: int, **more: Any) -> list[dict[str, Any]]:
    """HTC's three mask heads, of which all but the first take in the features of the one before."""
    head = {
        "type": "HTCMaskHead",
        "num_convs": convolutions,
        "in_channels": channels,
        "conv_out_channels": channels,
        "num_classes": classes,
        "loss_mask": {"type": "CrossEntropyLoss", "use_mask": True, "loss_weight": 1.0},
        **more,
    }
    return [{**head, "with_conv_res": False}, head, head]


def stage_training(iou: float, **assigner: Any) -> dict[str, Any]:
    """How a stage of a small cascade learns: 64 proposals, a quarter of them of this IoU with an object."""
    return {
        "assigner": {
            "type": "MaxIoUAssigner",
            "pos_iou_thr": iou,
            "neg_iou_thr": iou,
            "min_pos_iou": iou,
            "ignore_iof_thr": -1,
            **assigner,
        },
        "sampler": {
            "type": "RandomSampler",
            "num": 64,
            "pos_fraction": 0.25,
            "neg_pos_ub": -1,
            "add_gt_as_proposals": True,
        },
        "mask_size": 28,
        "pos_weight": -1,
        "debug": False,
    }
