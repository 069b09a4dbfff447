"""One video through a frame loop to its end."""

from collections.abc import Iterable
from typing import Any

from detectors.base import Detector
from vis_pipeline.engine import FrameLoop
from vis_pipeline.structures.frames import Footage
from vis_pipeline.structures.tracks import VideoOutcome
from vis_pipeline.trackers.base import Tracker


def track_video(
    video_id: int, frames: Iterable[Footage], detector: Detector, tracker: Tracker[Any, Any], batch_size: int
) -> VideoOutcome:
    loop = FrameLoop(video_id, detector, tracker)
    for _ in loop.over(frames, batch_size):
        pass
    return loop.finish()
