"""Settings of association and of a track's life; defaults are those of the bundled pipeline."""

from dataclasses import field
from enum import Enum

from pydantic import Field
from pydantic.dataclasses import dataclass

from vis_pipeline.settings.config import STRICT


class KeptMask(str, Enum):
    """Which mask a matched track keeps."""

    DETECTOR = "detector"
    TRACKER = "tracker"
    BETTER_SCORED = "better_scored"


class NextBox(str, Enum):
    """Where the next search for a track that was detected begins; that for another begins at stage 1's box anyway."""

    MASK = "mask"
    STAGE_1 = "stage_1"


class MissingScore(str, Enum):
    """What a frame in which the track is visible but not detected adds to the mean that is the track's score."""

    IGNORED = "ignored"
    ZERO = "zero"
    TRACKER = "tracker"


@dataclass(frozen=True, config=STRICT)
class MotionSettings:
    """Where a track is expected after its last detection. Velocities fade with each frame without one.

    Attributes:
        momentum: part of its velocity that a track keeps a frame where it is matched with detections.
        search_momentum: the same where a hidden track is searched for; lower, since what is hidden often waits.
    """

    momentum: float = Field(default=0.8, ge=0, le=1)
    search_momentum: float = Field(default=0.5, ge=0, le=1)


@dataclass(frozen=True, config=STRICT)
class ShotSettings:
    """Where a video is cut.

    Attributes:
        cut_likeness: a frame less like the one before it than this is of another shot; 0: the video is one shot.
    """

    cut_likeness: float = Field(default=0.65, ge=0, le=1)


@dataclass(frozen=True, config=STRICT)
class BeliefSettings:
    """What the predicted mask of a track without a detection must show to be believed, and so to be seen.

    Attributes:
        frames: frames in a row without a detection after which nothing is believed any more.
        score: least tracking score.
        usual_score: least part of the tracking score that the track has had where detections confirmed it.
        likeness: least likeness of the colours below the mask to those of the track's detections.
        box_iou: least IoU of the mask's Min-max box with the box that stage 1 located.
        area_change: the mask's area is at most this many times the last detected one's, and at least its inverse.
        distance: most that the mask's centre may be away from where motion puts the track, in roots of the last
            detected area, in the first frame without a detection; each further one allows `distance_growth` more.
        covered: most of the mask, as a share, that may lie on one detection or on a prediction of a stronger claim.
    """

    frames: int = Field(default=10, ge=0)
    score: float = Field(default=0.2, ge=0, le=1)
    usual_score: float = Field(default=0.3, ge=0, le=1)
    likeness: float = Field(default=0.8, ge=0, le=1)
    box_iou: float = Field(default=0.25, ge=0, le=1)
    area_change: float = Field(default=2.5, ge=1)
    distance: float = Field(default=0.7, ge=0)
    distance_growth: float = Field(default=0.15, ge=0)
    covered: float = Field(default=0.5, gt=0, le=1)


@dataclass(frozen=True, config=STRICT)
class TrackingSettings:
    """How detections and predictions become tracks.

    Attributes:
        match_iou: affinity by masks (IoU times likeness of the colours) below which detection and track are not joined.
        match_kinship: affinity by place and colours below which those are not joined that masks did not join.
        owner_detections: detections that make a track an owner, one of those that choose first.
        owner_undetected: frames in a row without a detection after which it is none, until it is detected.
        motion: where tracks are expected.
        shots: where they are expected no longer.
        colour_rate: weight of a new detection in the colours that a track is known by.
        renew_every: SiamMask's template is cut anew at every so many detections of a track; 0: it stays from birth.
        kept_mask: the mask a matched track keeps.
        next_box: SiamMask's next search for it begins at the detected mask's Min-max box, or at stage 1's smoothed one.
        birth_score: detection score that starts a track.
        duplicate_iou: an unmatched detection that overlaps a shown mask, or a stronger birth, this much starts none.
        duplicate_share: nor does one of which this share lies inside another track's detection or a stronger birth.
        belief: what a prediction without a detection must show.
        max_hidden: a track is lost, and no longer searched for, once it was hidden for more frames in a row than this.
        max_undetected: a track ends once it has gone without a detection for more frames in a row than this.
        min_detections: detections that a track needs to be reported (in a shorter video, one in each frame).
        confirm_score: score that the best of them needs for that.
        bridge_iou: predictions before a detection are reported if that for its own frame has this IoU with it.
        missing_score: what an undetected frame adds to the mean that is the track's score.
        score_prior: frames of score 0 that the mean begins with: few detections are less sure than many.
        merge_iou: of two reported tracks of one class that overlap this much over the video, the weaker one goes.
        merge_share: the weaker one also goes if this share of it lies inside the other.
        max_alive: live tracks at most; further births wait.
        max_tracks: reported tracks of one video at most, the best-scored.
    """

    match_iou: float = Field(default=0.3, gt=0, le=1)
    match_kinship: float = Field(default=0.6, gt=0, le=1)
    owner_detections: int = Field(default=3, ge=1)
    owner_undetected: int = Field(default=10, ge=0)
    motion: MotionSettings = field(default_factory=MotionSettings)
    shots: ShotSettings = field(default_factory=ShotSettings)
    colour_rate: float = Field(default=0.5, gt=0, le=1)
    renew_every: int = Field(default=1, ge=0)
    kept_mask: KeptMask = KeptMask.DETECTOR
    next_box: NextBox = NextBox.MASK
    birth_score: float = Field(default=0.25, ge=0, le=1)
    duplicate_iou: float = Field(default=0.5, gt=0, le=1)
    duplicate_share: float = Field(default=0.8, gt=0, le=1)
    belief: BeliefSettings = field(default_factory=BeliefSettings)
    max_hidden: int = Field(default=12, ge=0)
    max_undetected: int = Field(default=24, ge=0)
    min_detections: int = Field(default=3, ge=1)
    confirm_score: float = Field(default=0.5, ge=0, le=1)
    bridge_iou: float = Field(default=0.3, ge=0, le=1)
    missing_score: MissingScore = MissingScore.IGNORED
    score_prior: float = Field(default=2.0, ge=0)
    merge_iou: float = Field(default=0.6, gt=0, le=1)
    merge_share: float = Field(default=0.8, gt=0, le=1)
    max_alive: int = Field(default=100, ge=1)
    max_tracks: int = Field(default=100, ge=1)
