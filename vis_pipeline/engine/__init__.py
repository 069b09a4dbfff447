"""The engine: frames in, tracks out."""

from vis_pipeline.engine.frame_loop import FrameLoop, track_video

__all__ = ["FrameLoop", "track_video"]
