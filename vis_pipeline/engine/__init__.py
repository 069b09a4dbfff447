"""The engine: frames in, tracks out."""

from vis_pipeline.engine.frame_loop import FrameLoop
from vis_pipeline.engine.lockstep import Lane, Lockstep, in_lockstep

__all__ = ["FrameLoop", "Lane", "Lockstep", "in_lockstep"]
