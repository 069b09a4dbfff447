"""The engine: frames in, tracks out."""

from vis_pipeline.engine.video import VideoTracker, track_video

__all__ = ["VideoTracker", "track_video"]
