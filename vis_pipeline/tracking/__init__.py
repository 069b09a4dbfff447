"""Association, birth and death, class vote and track score: pure functions over arrays."""

from vis_pipeline.tracking.frame import Candidates, Decision, decide
from vis_pipeline.tracking.settings import KeptMask, MissingScore, TrackingSettings

__all__ = ["Candidates", "Decision", "KeptMask", "MissingScore", "TrackingSettings", "decide"]
