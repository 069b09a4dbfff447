"""Association, birth and death, class vote and track score: pure functions over arrays."""

from vis_pipeline.trackers.lifecycle.decision import Candidates, Decision, decide
from vis_pipeline.trackers.lifecycle.settings import KeptMask, MissingScore, TrackingSettings

__all__ = ["Candidates", "Decision", "KeptMask", "MissingScore", "TrackingSettings", "decide"]
