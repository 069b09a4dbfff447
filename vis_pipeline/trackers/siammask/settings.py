"""Settings of SiamMask inference, and the release's presets per benchmark."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class SiamMaskSettings:
    """How predictions are selected and made into masks.

    Attributes:
        mask_threshold: a pixel is the target's above this mask probability.
        penalty_k: strength of the penalty on changes of scale and aspect ratio.
        window_influence: weight of the cosine window against the penalised score.
        size_rate: the state's size follows the best box at this rate times penalty times score.
        stages: 1 takes the mask from the search crop; 2 from a second crop around the best box (paper, section 5).
        second_crop: stage 2 crops around the best box as it was located, or with its size smoothed as the state's is.
        batch: most targets that go through the network at once; None: 8 on the CPU, where more save no time, and
            64 elsewhere. Changes no number, on the CPU and up to 15 not even its last bit.
        precision: `exact` computes in float32 as the release's network does; `fast` in bfloat16 where that costs least
            (see :mod:`~vis_pipeline.trackers.siammask.half_precision`), with TF32 on CUDA for the rest.
    """

    mask_threshold: float = 0.35
    penalty_k: float = 0.04
    window_influence: float = 0.40
    size_rate: float = 1.0
    stages: Literal[1, 2] = 1
    second_crop: Literal["located", "smoothed"] = "located"
    batch: int | None = None
    precision: Literal["exact", "fast"] = "exact"


PRESETS: dict[str, SiamMaskSettings] = {
    "davis": SiamMaskSettings(),
    "vot": SiamMaskSettings(mask_threshold=0.30, penalty_k=0.04, window_influence=0.42, size_rate=0.25),
    "vot18": SiamMaskSettings(mask_threshold=0.15, penalty_k=0.10, window_influence=0.41, size_rate=0.32),
}
