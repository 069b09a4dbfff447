"""The engine: frames in, tracks out."""

from vis_pipeline.engine.frame_loop import FrameLoop, track_video
from vis_pipeline.engine.tracker import VideoTracker

__all__ = ["FrameLoop", "VideoTracker", "track_video"]
