"""Settings: which re-detections there are, which of them is the target (told apart by `type`), and which targets."""

from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from vis_pipeline.settings.config import STRICT, kind_in_full, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vis_pipeline.trackers.siam_rcnn.argmax import ArgmaxTarget
    from vis_pipeline.trackers.siam_rcnn.looks import Looks
    from vis_pipeline.trackers.siam_rcnn.short_term import ShortTermTarget
    from vis_pipeline.trackers.siam_rcnn.tdpa import TdpaTarget

FeatureT = TypeVar("FeatureT")


@dataclass(frozen=True, config=STRICT)
class AlikeSettings:
    """A score is the network's alone, as in the paper."""

    type: Literal["alike"] = "alike"

    def build(self) -> "Looks":
        """See :class:`~vis_pipeline.trackers.siam_rcnn.looks.Alike`."""
        from vis_pipeline.trackers.siam_rcnn.looks import Alike

        return Alike()


@dataclass(frozen=True, config=STRICT)
class ColourSettings:
    """A score is the network's times the likeness of the colours: the detector's features hardly hold the shade.

    Attributes:
        ground: how much of the colours around an object is taken from those in its ellipse.
        inner, outer: where the ring around it begins and ends, in ellipses of the box.
    """

    ground: float = Field(default=1.5, ge=0)
    inner: float = Field(default=1.3, ge=1)
    outer: float = Field(default=2.0, ge=1)
    type: Literal["colours"] = "colours"

    def __post_init__(self) -> None:
        if self.inner >= self.outer:
            raise ValueError(f"inner = {self.inner} is not below outer = {self.outer}")

    def build(self) -> "Looks":
        """See :class:`~vis_pipeline.trackers.siam_rcnn.looks.Colours`."""
        from vis_pipeline.trackers.siam_rcnn.looks import Colours

        return Colours(self)


LooksSettings = Annotated[
    Annotated[AlikeSettings, Tag(AlikeSettings.type)] | Annotated[ColourSettings, Tag(ColourSettings.type)],
    Discriminator(
        kind_of(AlikeSettings.type),
        custom_error_type="looks_type",
        custom_error_message=f"type is {AlikeSettings.type} or {ColourSettings.type}",
    ),
    BeforeValidator(kind_in_full),
]
"""What boxes look like beside the network; in a config `looks="colours"` is short for a kind with nothing set."""


@dataclass(frozen=True, config=STRICT)
class RedetectionSettings:
    """Which re-detections of a template are kept; the defaults are the release's.

    Attributes:
        nms_iou: of boxes that overlap by more than this IoU, the best scored stays.
        max_per_template: re-detections at most.
        min_score: least score.
        proposals: at most so many of a frame's proposals are looked at, the best; None: all.
        min_likeness: of these, a template is compared with those whose looks are as like to its own as this.
        refined: at most so many boxes of a template go on to the second and third stage, those that score best in the
            first; None: all, as in the paper.
        pairs_per_batch: pairs of template and box that go through a stage at once; bounds the memory.
        looks: what every score, of a template or of a pair, is multiplied by beside: `alike`, `colours`.
    """

    nms_iou: float = Field(default=0.5, gt=0, le=1)
    max_per_template: int = Field(default=100, ge=1)
    min_score: float = Field(default=0.005, ge=0, le=1)
    proposals: int | None = Field(default=None, ge=0)
    min_likeness: float = Field(default=0.1, ge=0, le=1)
    refined: int | None = Field(default=None, ge=1)
    pairs_per_batch: int = Field(default=512, ge=1)
    looks: LooksSettings = field(default_factory=AlikeSettings)


@dataclass(frozen=True, config=STRICT)
class TdpaSettings:
    """The Tracklet Dynamic Programming Algorithm (section 3.3). Values are the release's, tuned on DAVIS 2017.

    Distances are those of :mod:`~vis_pipeline.trackers.siam_rcnn.spatial`: in units of the image's width and height.

    Attributes:
        max_distance: gamma of Algorithm 1: a detection and one of the frame before are compared, and may be of one
            tracklet, if the largest of their four differences is below this.
        join_score: alpha of Algorithm 1: a detection may join a tracklet if their similarity is above this.
        margin: beta of Algorithm 1: a detection does not join where another detection is as similar to the tracklet, or
            it to another tracklet, up to this much; exactly this much less is still too alike, as in the release.
        first_frame_weight: w_ff of equation 2: weight of the score against the first frame's box; the score against the
            first-frame tracklet's latest detection has the rest of 1.
        location_weight: w_loc of equation 1: cost of the mean of the four differences between the end of a tracklet and
            the start of the next.
        max_gap: most frames between a tracklet and the next ("Online Dynamic Programming"). It is counted back from the
            latest end of any tracklet: frames in which nothing is detected at all make no gap wider.
        rank_weight: of the last detection's score in a frame's score, which without it would be the same for all frames
            of a tracklet that have its best detection behind them (the release; not in the paper).
        absent_score: a frame's score where the target is not present. The paper has 0, for benchmarks that want a box
            in each frame; the release has -1.
    """

    max_distance: float = Field(default=0.06, ge=0)
    join_score: float = Field(default=0.3, ge=0)
    margin: float = Field(default=0.3, ge=0)
    first_frame_weight: float = Field(default=0.1, ge=0, le=1)
    location_weight: float = Field(default=7.0, ge=0)
    max_gap: int = Field(default=1500, ge=1)
    rank_weight: float = Field(default=1e-5, ge=0)
    absent_score: float = Field(default=-1.0, le=0)
    type: Literal["tdpa"] = "tdpa"

    def begin(self, box: "Sequence[float]", feature: FeatureT, width: float, height: float) -> "TdpaTarget[FeatureT]":
        """Begin a target; see :meth:`~vis_pipeline.trackers.siam_rcnn.tdpa.TdpaTarget.begin`."""
        from vis_pipeline.trackers.siam_rcnn.tdpa import TdpaTarget

        return TdpaTarget.begin(self, box, feature, width, height)


@dataclass(frozen=True, config=STRICT)
class ArgmaxSettings:
    """The re-detection with the best first-frame score of each frame, whatever was before (section 4.4, "Argmax").

    Attributes:
        present_score: the target is not present where the best score is below this. The paper tunes it where a
            benchmark asks for presence (section 4.2, OxUvA); with 0 it is present wherever anything is re-detected.
    """

    present_score: float = Field(default=0.0, ge=0, le=1)
    type: Literal["argmax"] = "argmax"

    def begin(self, box: "Sequence[float]", feature: FeatureT, width: float, height: float) -> "ArgmaxTarget[FeatureT]":
        """Begin a target; see :meth:`~vis_pipeline.trackers.siam_rcnn.argmax.ArgmaxTarget.begin`."""
        from vis_pipeline.trackers.siam_rcnn.argmax import ArgmaxTarget

        return ArgmaxTarget.begin(self, box, feature, width, height)


@dataclass(frozen=True, config=STRICT)
class ShortTermSettings:
    """The mean of first-frame and previous-frame score, and a strong spatial prior (section 4.1, VOT2018).

    The paper's text gives neither the form of the prior nor its weight: here it is TDPA's location cost, from the
    target's last box.

    Attributes:
        location_weight: cost of the mean of the four differences from the last box, subtracted from the mean score to
            choose; no part of the score that is reported.
        present_score: the target is not present where the chosen one's mean score is below this; what it is compared
            with stays what it was then.
    """

    location_weight: float = Field(default=7.0, ge=0)
    present_score: float = Field(default=0.0, ge=0, le=1)
    type: Literal["short_term"] = "short_term"

    def begin(
        self, box: "Sequence[float]", feature: FeatureT, width: float, height: float
    ) -> "ShortTermTarget[FeatureT]":
        """Begin a target; see :meth:`~vis_pipeline.trackers.siam_rcnn.short_term.ShortTermTarget.begin`."""
        from vis_pipeline.trackers.siam_rcnn.short_term import ShortTermTarget

        return ShortTermTarget.begin(self, box, feature, width, height)


SelectionSettings = Annotated[
    Annotated[TdpaSettings, Tag(TdpaSettings.type)]
    | Annotated[ArgmaxSettings, Tag(ArgmaxSettings.type)]
    | Annotated[ShortTermSettings, Tag(ShortTermSettings.type)],
    Discriminator(
        kind_of(TdpaSettings.type),
        custom_error_type="selection_type",
        custom_error_message=f"type is {TdpaSettings.type}, {ArgmaxSettings.type} or {ShortTermSettings.type}",
    ),
    BeforeValidator(kind_in_full),
]
"""Any way to choose; in a config `type` says which, and `selection="argmax"` is short for a kind with nothing set."""


@dataclass(frozen=True, config=STRICT)
class TargetSettings:
    """Which targets a video has, and which of them a frame shows. When they are born and reported is `tracking`'s.

    Attributes:
        shown_score: a target is shown where its choice's score is at least this; see
            :class:`~vis_pipeline.trackers.siam_rcnn.targets.Outcome`.
        shared_iou: of targets whose chosen boxes overlap by more than this IoU the best scored keeps its box, and the
            others are taken for absent in this frame: no two targets are one object. Scores are those of the boxes in
            the frame itself: TDPA's is the best of a whole tracklet, and says less about who is where.
        staying: added, where they are compared for that, to the score of one that was detected in the frame before.
        on_iou: box IoU from which on a detection is of a target, one detection a target.
        known_score: an unexplained detection starts no target where an absent one is re-detected with this score, at
            `on_iou`: it is waited until that one is surely back, or surely not.
        max_unconfirmed: a target with fewer than `tracking.min_detections` ends after so many frames without one.
        max_undetected: any other after so many.
        same_score: a target whose choice has this score in the frame itself, and lies on another target, is like it.
        same_frames: one that was like the same other one for so many frames in a row, and was detected beside it in no
            frame, is one object with it: they go on under the earlier number, by the template of the one that is shown.
        again: a detection that would start a target goes on with one that is not shown, where the share of the smaller
            of its box and that one's last detection that they have in common, times the likeness of the looks, is this
            much; the target begins again there.
        again_frames: if that detection was at most so many frames ago.
        max_targets: at a time; where a further one is born, the absent one that has gone undetected for longest makes
            room, and where none is absent, births wait. Cost and memory of a frame grow with their number.
    """

    shown_score: float = Field(default=0.2, ge=0, le=1)
    shared_iou: float = Field(default=0.5, ge=0, le=1)
    staying: float = Field(default=0.2, ge=0)
    on_iou: float = Field(default=0.5, gt=0, le=1)
    known_score: float = Field(default=0.3, ge=0, le=1)
    max_unconfirmed: int = Field(default=6, ge=0)
    max_undetected: int = Field(default=1500, ge=0)
    same_score: float = Field(default=0.3, ge=0, le=1)
    same_frames: int = Field(default=3, ge=1)
    again: float = Field(default=0.4, gt=0, le=1)
    again_frames: int = Field(default=8, ge=0)
    max_targets: int = Field(default=20, ge=1)
