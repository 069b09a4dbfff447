"""The settings of a re-detector training, as its config file gives them."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from detectors.choices import DetectorChoice
from vis_pipeline.settings.config import STRICT
from vis_pipeline.training.ranges import Count, Factors, Fraction, Positive, Weight
from vis_pipeline.training.tracker.source_settings import SourceSettings


@dataclass(frozen=True, config=STRICT)
class LookSettings:
    """Random changes of frames before the detector sees them (the paper, section 3.5).

    Attributes:
        plain: share of the frames that are left as they are.
        flip: probability that a video is mirrored.
        scale: least and greatest factor by which a frame is enlarged about a random point.
        gamma: greatest exponent of the grey levels; the least is its inverse.
        grey: probability that a frame loses its colour.
        blur: probability of motion blur.
        longest_blur: in pixels.
    """

    plain: Fraction = 0.4
    flip: Fraction = 0.5
    scale: Factors = (0.7, 1.4)
    gamma: float = Field(default=1.6, ge=1)
    grey: Fraction = 0.15
    blur: Fraction = 0.25
    longest_blur: Count = 9


@dataclass(frozen=True, config=STRICT)
class StoreSettings:
    """Which features are computed and kept on disk.

    A frame's are its feature pyramid and its proposals, and the RoI features of its objects' boxes: true, and moved.

    Attributes:
        folder: where they are kept, for any number of trainings; None: `features` in the work folder.
        frames_per_video: frames that are taken of a video, evenly spaced; None: all.
        variants: looks of each frame.
        wide, narrow: moved boxes: largest shift as a share of the sides, and of the logarithm of each side.
        gigabytes: room that the features may take; a training that would take more does not begin.
    """

    folder: Path | None = None
    frames_per_video: Count | None = None
    variants: Count = 1
    wide: Fraction = 0.25
    narrow: Fraction = 0.1
    gigabytes: Positive = 20.0


@dataclass(frozen=True, config=STRICT)
class PairSettings:
    """Which pairs are learned from.

    Attributes:
        max_gap: most frames between template and target; None: any two frames of the video, as in the paper.
        regions: boxes of the target frame that a pair is compared with (the paper: 512).
        positives: share of them that are the object, at most.
        objects: share of the negatives that lie on other objects, where there are so many.
        moved: boxes beside each object's, moved at random, that are added to the frame's proposals.
    """

    max_gap: Count | None = None
    regions: Count = 64
    positives: Fraction = 0.25
    objects: Fraction = 0.5
    moved: int = Field(default=6, ge=0)


@dataclass(frozen=True, config=STRICT)
class EmbeddingSettings:
    """The network in whose space neighbours are looked for: batch-hard triplet loss on RoI features of true boxes.

    Attributes:
        channels: of the embedding.
        class_steps, instance_steps: steps that tell classes apart, then steps that tell instances apart.
        groups, members: classes or instances of a batch, and boxes of each.
        margin: of the loss.
        learning_rate: of Adam.
    """

    channels: Count = 64
    class_steps: int = Field(default=300, ge=0)
    instance_steps: int = Field(default=600, ge=0)
    groups: int = Field(default=16, ge=2)
    members: int = Field(default=4, ge=2)
    margin: Positive = 0.2
    learning_rate: Positive = 1e-3


@dataclass(frozen=True, config=STRICT)
class HardExampleSettings:
    """Video hard-example mining (the paper, section 3.2); the defaults are the release's.

    Attributes:
        neighbours: boxes of other videos, nearest to the template in the embedding, that negatives are drawn from.
        negatives: of them a step's, for each template, at most one a video.
        positives: boxes of the template's own object, in any frame.
        negative_weight, positive_weight, positive_box_weight: of their losses.
        embedding: the space.
    """

    neighbours: Count = 10_000
    negatives: Count = 100
    positives: int = Field(default=30, ge=0)
    negative_weight: Weight = 0.12
    positive_weight: Weight = 0.1
    positive_box_weight: Weight = 0.1
    embedding: EmbeddingSettings = EmbeddingSettings()


@dataclass(frozen=True, config=STRICT)
class HeadSettings:
    """Widths of the head; None: the detector's channels, and four times as many.

    Attributes:
        conv_channels, fc_channels, groups: see
            :class:`~vis_pipeline.trackers.siam_rcnn.redetector.RedetectorArchitecture`.
    """

    conv_channels: Count | None = None
    fc_channels: Count | None = None
    groups: Count = 8


@dataclass(frozen=True, config=STRICT)
class ScheduleSettings:
    """AdamW with a linear warm-up to `learning_rate`, then a half cosine down to `final_rate`.

    Attributes:
        steps: how many batches are learned from.
        batch: pairs of a batch.
        warm_up: steps.
        weight_decay: of kernels; biases and norms have none.
        clip: largest norm of the gradient.
    """

    steps: Count
    batch: Count = 8
    learning_rate: Positive = 1e-3
    final_rate: float = Field(default=1e-5, ge=0)
    warm_up: int = Field(default=100, ge=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    clip: Positive = 10.0


@dataclass(frozen=True, config=STRICT)
class RedetectorTraining:
    """A re-detector training.

    Attributes:
        detector: whose features are compared; its config and weights (its class map and limits do not matter).
        sources: as a tracker's; a video with one frame gives pairs of that frame's variants.
        hard_examples: None learns from the pairs alone.
        box_weight: of the loss of the boxes' offsets.
        seed: of all draws.
        device: as torch names it; None for CUDA where there is one, else the CPU.
        precision: `bfloat16` computes the head's convolutions and products under autocast.
        checkpoint_every: steps from one checkpoint to the next.
        log_every: steps over which a logged loss is averaged.
    """

    detector: DetectorChoice
    sources: tuple[SourceSettings, ...]
    schedule: ScheduleSettings
    head: HeadSettings = HeadSettings()
    looks: LookSettings = LookSettings()
    store: StoreSettings = StoreSettings()
    pairs: PairSettings = PairSettings()
    hard_examples: HardExampleSettings | None = None
    box_weight: Weight = 1.0
    seed: int = Field(default=0, ge=0)
    device: str | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    checkpoint_every: Count = 200
    log_every: Count = 20
