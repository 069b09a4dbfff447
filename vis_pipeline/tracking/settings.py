"""Settings of association and of a track's life; defaults are those of the bundled pipeline."""

from enum import Enum

from pydantic import Field
from pydantic.dataclasses import dataclass

from vis_pipeline.config import STRICT


class KeptMask(str, Enum):
    """Which mask a matched track keeps."""

    DETECTOR = "detector"
    TRACKER = "tracker"
    BETTER_SCORED = "better_scored"


class MissingScore(str, Enum):
    """What a frame in which the track is visible but not detected adds to the mean that is the track's score."""

    IGNORED = "ignored"
    ZERO = "zero"
    TRACKER = "tracker"


@dataclass(frozen=True, config=STRICT)
class TrackingSettings:
    """How detections and predictions become tracks.

    Attributes:
        match_iou: mask IoU below which a detection and a prediction are not joined.
        kept_mask: the mask a matched track keeps.
        birth_score: detection score that starts a track.
        duplicate_iou: an unmatched detection that overlaps a prediction, or a stronger birth, this much starts none.
        visible_score: tracking score from which an undetected track still shows its predicted mask.
        max_missed: a track dies once it has been hidden for more frames in a row than this.
        max_undetected: a track dies once it has gone without a detection for more frames in a row than this.
        min_detections: detections that a track needs to be reported (in a shorter video, one in each frame).
        missing_score: what an undetected frame adds to the track's score.
        merge_iou: of two reported tracks of one class that overlap this much over the video, the weaker one goes.
        max_alive: live tracks at most; further births wait.
        max_tracks: reported tracks of one video at most, the best-scored.
    """

    match_iou: float = Field(default=0.3, gt=0, le=1)
    kept_mask: KeptMask = KeptMask.DETECTOR
    birth_score: float = Field(default=0.25, ge=0, le=1)
    duplicate_iou: float = Field(default=0.5, gt=0, le=1)
    visible_score: float = Field(default=0.7, ge=0, le=1)
    max_missed: int = Field(default=24, ge=0)
    max_undetected: int = Field(default=24, ge=0)
    min_detections: int = Field(default=2, ge=1)
    missing_score: MissingScore = MissingScore.IGNORED
    merge_iou: float = Field(default=0.6, gt=0, le=1)
    max_alive: int = Field(default=100, ge=1)
    max_tracks: int = Field(default=100, ge=1)
