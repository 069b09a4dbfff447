"""Settings of the ways to choose which re-detection is the target, told apart by `type`."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from vis_pipeline.settings.config import STRICT, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vis_pipeline.trackers.siam_rcnn.argmax import ArgmaxTarget
    from vis_pipeline.trackers.siam_rcnn.short_term import ShortTermTarget
    from vis_pipeline.trackers.siam_rcnn.tdpa import TdpaTarget

FeatureT = TypeVar("FeatureT")


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


def _in_full(value: Any) -> Any:
    """A kind may stand for itself with nothing set."""
    return {"type": value} if isinstance(value, str) else value


SelectionSettings = Annotated[
    Annotated[TdpaSettings, Tag(TdpaSettings.type)]
    | Annotated[ArgmaxSettings, Tag(ArgmaxSettings.type)]
    | Annotated[ShortTermSettings, Tag(ShortTermSettings.type)],
    Discriminator(
        kind_of(TdpaSettings.type),
        custom_error_type="selection_type",
        custom_error_message=f"type is {TdpaSettings.type}, {ArgmaxSettings.type} or {ShortTermSettings.type}",
    ),
    BeforeValidator(_in_full),
]
"""Any way to choose; in a config `type` says which, and `selection="argmax"` is short for a kind with nothing set."""
