"""Multi-object video instance segmentation: HTC detections, two-stage SiamMask, Hungarian association."""

__version__ = "0.1.0"
