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
