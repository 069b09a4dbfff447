"""Settings of SiamMask inference, and the release's presets per benchmark."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Report: TypeAlias = Literal["mask", "box", "score"]


@dataclass(frozen=True)
class ScaleSearchSettings:
    """How a size is found where only positions are scored; the defaults are those of SiamFC's release with three sizes.

    Attributes:
        step: the last size, and this many times larger and smaller, are tried.
        penalty: what a response counts for that has changed the size.
        rate: the state's size follows the best one at this rate.
        window_influence: weight of the cosine window against the response, both of sum 1.
        upsampling: enlargement of the response.
    """

    step: float = 1.0375
    penalty: float = 0.9745
    rate: float = 0.59
    window_influence: float = 0.176
    upsampling: int = 16

    @property
    def factors(self) -> tuple[float, float, float]:
        """The sizes tried, as factors of the last one."""
        return 1 / self.step, 1.0, self.step


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
        batch: most crops that go through the network at once (a target has one, three where sizes are searched); None:
            8 on the CPU, where more save no time, and 64 elsewhere. Changes no number, on the CPU and up to 15 not even
            its last bit.
        precision: `exact` computes in float32 as the release's network does; `fast` in bfloat16 where that costs least
            (see :mod:`~vis_pipeline.trackers.siammask.half_precision`), with TF32 on CUDA for the rest.
        report: `mask`; `box`, upright from the box branch, or `score`, upright and of the first frame's aspect ratio
            from the score branch of a network that scores positions: no mask is made (paper, Table 16). None: the most
            that the weights have.
        scale_search: how sizes are found for `score`.
    """

    mask_threshold: float = 0.35
    penalty_k: float = 0.04
    window_influence: float = 0.40
    size_rate: float = 1.0
    stages: Literal[1, 2] = 1
    second_crop: Literal["located", "smoothed"] = "located"
    batch: int | None = None
    precision: Literal["exact", "fast"] = "exact"
    report: Report | None = None
    scale_search: ScaleSearchSettings = ScaleSearchSettings()


PRESETS: dict[str, SiamMaskSettings] = {
    "davis": SiamMaskSettings(),
    "vot": SiamMaskSettings(mask_threshold=0.30, penalty_k=0.04, window_influence=0.42, size_rate=0.25),
    "vot18": SiamMaskSettings(mask_threshold=0.15, penalty_k=0.10, window_influence=0.41, size_rate=0.32),
}
