"""Instance detectors: frames in, per-frame detections out."""

from detectors.base import Detections, Detector

__all__ = ["Detections", "Detector"]
