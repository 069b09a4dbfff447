"""Settings of the memory; defaults are those of the bundled pipelines that use it."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from vis_pipeline.settings.config import STRICT


@dataclass(frozen=True, config=STRICT)
class MemorySettings:
    """What is remembered of a track, for how long, and what it takes to know it again.

    Attributes:
        views: templates that are kept of a track: its first clear view, and its latest ones.
        refresh_every: frames between two of them, at least.
        clear_score: detection score that a view needs.
        clear_share: most of a view's box, as a share, that may lie below other boxes: what is occluded, or beside
            another one, is no view of one object.
        clear_margin: pixels from the frame's edge that its box keeps.
        least_detections: detections that a track needs to be remembered.
        max_away: tracks that are remembered at a time; the longest unseen one is forgotten.
        max_frames: frames after which a track is forgotten.
        young_detections: a track that began after another went out of sight is asked whether it is that one, as long as
            it has no more detections than this.
        expected_iou: a detection whose box has this IoU with that of a settled track is not asked about.
        max_asked: detections that are asked about in a frame, the strongest.
        score: least score of recognition: that of the network times the likeness of the colours.
        margin: by how much the likely naming of what is seen must be better than any other without this pair (see
            :func:`~vis_pipeline.trackers.memory.recall.recalled`): an ambiguous one waits for a better frame.
    """

    views: int = Field(default=4, ge=1)
    refresh_every: int = Field(default=8, ge=1)
    clear_score: float = Field(default=0.5, ge=0, le=1)
    clear_share: float = Field(default=0.15, ge=0, le=1)
    clear_margin: int = Field(default=2, ge=0)
    least_detections: int = Field(default=3, ge=1)
    max_away: int = Field(default=20, ge=1)
    max_frames: int = Field(default=1500, ge=1)
    young_detections: int = Field(default=12, ge=1)
    expected_iou: float = Field(default=0.5, gt=0, le=1)
    max_asked: int = Field(default=10, ge=1)
    score: float = Field(default=0.4, ge=0, le=1)
    margin: float = Field(default=0.15, gt=0, le=1)
