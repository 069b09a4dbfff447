"""Instance detectors: frames in, per-frame detections out."""

from detectors.base import Detector
from vis_pipeline.structures.detections import Detections

__all__ = ["Detections", "Detector"]
