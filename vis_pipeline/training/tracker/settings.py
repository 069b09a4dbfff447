"""The settings of a tracker training, as its config file gives them."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vis_pipeline.settings.config import STRICT
from vis_pipeline.training.ranges import Count, Factors, Fraction, Positive, Weight
from vis_pipeline.training.tracker.recipe import LearningSettings, ScheduleSettings, StartSettings
from vis_pipeline.training.tracker.source_settings import SourceSettings

Shift = Annotated[float, Field(ge=0)]


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
        cache_gigabytes: how much of the decoded frames is kept in the machine's memory.
        device_gigabytes: how much of them is kept on a GPU, with their masks; what finds no room stays in the machine's
            memory and is sent with each batch.
        ahead: batches made in advance, in a thread.
    """

    max_gap: Count = 20
    history: int = Field(default=0, ge=0)
    crowded: Fraction = 0.0
    negatives: Fraction = 0.2
    hidden: Fraction = 0.25
    lookalikes: Fraction = 0.5
    cache_gigabytes: Positive = 4.0
    device_gigabytes: Positive = 16.0
    ahead: int = Field(default=1, ge=0)


@dataclass(frozen=True, config=STRICT)
class AugmentSettings:
    """Random changes of the crops.

    Shifts and scales are those of SiamMask for multiple objects, section 6.1, and of the release, as are the shares of
    grey and blurred pairs. The release mirrors nothing, scales the axes apart, adds a little colour noise where `light`
    changes more, and stage 2 is ours.

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

    exemplar_shift: Shift = 4.0
    exemplar_scale: Fraction = 0.05
    search_shift: Shift = 64.0
    search_scale: Fraction = 0.18
    refine_shift: Fraction = 0.12
    refine_scale: Factors = (0.85, 1.2)
    flip: Fraction = 0.5
    grey: Fraction = 0.25
    blur: Fraction = 0.18
    light: Fraction = 0.15


@dataclass(frozen=True, config=STRICT)
class LabelSettings:
    """Which anchors or positions are positive and negative, and how many of them a pair gives.

    Anchors (three branches, SiamRPN): section 4.5, with the release's counts. Positions (two branches, SiamFC): section
    4.5; all positions count.

    Attributes:
        positive_iou, negative_iou: an anchor is positive from the first on, negative below the second.
        positives, samples: at most so many positive anchors of a pair, and so many anchors altogether.
        hard: share of a pair's negatives that are those with the highest scores instead of random ones.
        negative_reach: in a negative pair only anchors up to so many positions from the response's middle are negative
            (the release: 3); None: all.
        radius: a position is positive less than so many crop pixels from the object's centre.
        masks: positive positions of a pair whose masks are learned.
    """

    positive_iou: Fraction = 0.6
    negative_iou: Fraction = 0.3
    positives: Count = 16
    samples: Count = 64
    hard: Fraction = 0.0
    negative_reach: Count | None = None
    radius: Positive = 16.0
    masks: Count = 4


@dataclass(frozen=True, config=STRICT)
class LossSettings:
    """Weights of the losses; the defaults are the release's (the paper, section 4.3: 1, 1, 32).

    A loss of weight 0 is not computed, and one whose branch the network lacks is left out.

    Attributes:
        score, box: of the anchors (three branches, SiamRPN).
        similarity: of the positions (two branches, SiamFC).
        mask: of the 63x63 mask head at positive positions.
        refined: of the refined mask there.
        second_stage: of the mask of a crop around stage 1's box, refined where the network refines; not in the paper.
    """

    score: Weight = 1.0
    box: Weight = 1.2
    similarity: Weight = 1.0
    mask: Weight = 36.0
    refined: Weight = 36.0
    second_stage: Weight = 36.0


@dataclass(frozen=True, config=STRICT)
class TrackerTraining:
    """A tracker training.

    Attributes:
        architecture: name in `vis_pipeline.trackers.siammask.architectures`.
        init: weights to start from; None for random ones.
        device: as torch names it; None for CUDA where there is one, else the CPU.
        precision: `bfloat16` computes the convolutions under autocast, on CUDA without the first.
        checkpoint_every: steps from one checkpoint to the next.
        log_every: steps over which a logged loss is averaged.
    """

    architecture: str
    sources: tuple[SourceSettings, ...]
    schedule: ScheduleSettings
    init: StartSettings | None = None
    learning: LearningSettings = LearningSettings()
    pairs: PairSettings = PairSettings()
    augment: AugmentSettings = AugmentSettings()
    labels: LabelSettings = LabelSettings()
    losses: LossSettings = LossSettings()
    seed: int = Field(default=0, ge=0)
    device: str | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    checkpoint_every: Count = 500
    log_every: Count = 20
