"""The settings of a tracker training, as its config file gives them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic.dataclasses import dataclass

from vis_pipeline.config import STRICT
from vis_pipeline.siammask.architectures import SEARCH_SIDE

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]

_LEAST_SIDE = 175
"""The network trims the maps of smaller crops as it does an exemplar's."""


@dataclass(frozen=True, config=STRICT)
class SourceSettings:
    """A YouTube-VIS split with its folder of frames; `weight` is its share of the pairs."""

    split: Path
    frames: Path
    weight: Positive = 1.0


@dataclass(frozen=True, config=STRICT)
class PairSettings:
    """Which two frames and objects make a pair.

    Attributes:
        max_gap: largest distance in frames between exemplar and search image.
        history: the search crop's size comes from the object's box up to this many frames from the search frame, as
            it does in tracking, where the last frame's box sets it.
        crowded: share of the positive pairs whose search frame is one where another object's box meets the target's.
        negatives: share of pairs whose search crop does not hold the exemplar's object (the release: 0.2).
        hidden: share of the negative pairs that show where the exemplar's object was before it was hidden or left.
        lookalikes: share of the other negative pairs that show another object of the exemplar's class.
        cache_gigabytes: how much of the decoded frames is kept in memory.
    """

    max_gap: Count = 20
    history: int = Field(default=0, ge=0)
    crowded: Fraction = 0.0
    negatives: Fraction = 0.2
    hidden: Fraction = 0.25
    lookalikes: Fraction = 0.5
    cache_gigabytes: Positive = 4.0


@dataclass(frozen=True, config=STRICT)
class AugmentSettings:
    """Random changes of the crops (SiamMask for multiple objects, section 6.1; grey and blur after the release).

    Attributes:
        exemplar_shift, search_shift: largest shift along each axis, in pixels of the crop (of a 255 search crop; in
            smaller ones it shrinks with the margin around the exemplar's size).
        exemplar_scale, search_scale: the crop's side is multiplied by 1 - s to 1 + s.
        refine_shift: largest error of stage 1's box, as a share of the object's sides.
        refine_scale: least and greatest factor from the object's box to stage 1's.
        flip: probability of mirroring both frames.
        grey: probability that both crops lose their colour.
        blur: probability that the search image is blurred.
        light: largest relative change of brightness and colour of a crop.
    """

    exemplar_shift: float = 4.0
    exemplar_scale: Fraction = 0.05
    search_shift: float = 64.0
    search_scale: Fraction = 0.18
    refine_shift: Fraction = 0.12
    refine_scale: tuple[Positive, Positive] = (0.85, 1.2)
    flip: Fraction = 0.5
    grey: Fraction = 0.1
    blur: Fraction = 0.15
    light: Fraction = 0.15


@dataclass(frozen=True, config=STRICT)
class LabelSettings:
    """Which anchors are positive and negative, and how many of them a pair gives (section 4.5; the release's counts).

    Attributes:
        hard: share of a pair's negatives that are those with the highest scores instead of random ones.
        masks: positive positions of a pair whose masks are learned.
    """

    positive_iou: Fraction = 0.6
    negative_iou: Fraction = 0.3
    positives: Count = 16
    samples: Count = 64
    hard: Fraction = 0.0
    masks: Count = 4


@dataclass(frozen=True, config=STRICT)
class LossSettings:
    """Weights of the losses; the defaults are the release's (the paper: 1, 1, 32).

    `mask` is for the 63x63 mask head, `refined` for the refined mask at positions of the search image, `second_stage`
    for the refined mask of a crop around stage 1's box.
    """

    score: float = 1.0
    box: float = 1.2
    mask: float = 36.0
    refined: float = 36.0
    second_stage: float = 36.0


@dataclass(frozen=True, config=STRICT)
class ScheduleSettings:
    """AdamW with linear warm-up and cosine decay.

    Attributes:
        freeze_norm_at: share of the steps after which the batch-norm statistics are measured afresh and then fixed.
        norm_batches: batches over which they are measured.
        clip: largest norm of the gradient.
        search_sides: (share of the steps, side) of the search crops from there on. A smaller crop of the same scale is
            cheaper: its response covers less ground, so the last one must be 255. Sides are 175 + 16 n.
    """

    steps: Count
    batch: Count = 16
    learning_rate: Positive = 1e-3
    final_rate: float = 1e-5
    weight_decay: float = 1e-4
    warm_up: int = 150
    clip: Positive = 20.0
    freeze_norm_at: Fraction = 0.6
    norm_batches: Count = 40
    search_sides: tuple[tuple[Fraction, int], ...] = ((0.0, SEARCH_SIDE),)

    @field_validator("search_sides")
    @classmethod
    def _aligned(cls, sides: tuple[tuple[float, int], ...]) -> tuple[tuple[float, int], ...]:
        """Stride-8 maps lie symmetrically about the middle of such crops only."""
        if not sides or sides[0][0] != 0 or sides[-1][1] != SEARCH_SIDE:
            raise ValueError(f"starts with share 0 and ends with side {SEARCH_SIDE}")
        if any(side < _LEAST_SIDE or (side - _LEAST_SIDE) % 16 for _, side in sides):
            raise ValueError(f"a side is {_LEAST_SIDE} + 16 n")
        return sides


@dataclass(frozen=True, config=STRICT)
class TrackerTraining:
    """A tracker training.

    Attributes:
        architecture: name in `vis_pipeline.siammask.architectures`.
        precision: `bfloat16` computes the convolutions under autocast.
        checkpoint_every: steps from one checkpoint to the next.
        log_every: steps over which a logged loss is averaged.
    """

    architecture: str
    sources: tuple[SourceSettings, ...]
    schedule: ScheduleSettings
    pairs: PairSettings = PairSettings()
    augment: AugmentSettings = AugmentSettings()
    labels: LabelSettings = LabelSettings()
    losses: LossSettings = LossSettings()
    seed: int = 0
    device: str = "cpu"
    precision: Literal["float32", "bfloat16"] = "float32"
    checkpoint_every: Count = 500
    log_every: Count = 20
