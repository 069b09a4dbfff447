"""Training an mmdet detector on a YouTube-VIS split, through mmengine's Runner, from a config file.

The frames are read from the split as they lie: nothing is converted on disk. Weights go in and out through
:mod:`vis_pipeline.weights.files`, never through mmengine's loader, which would run code from a crafted file.
"""

from vis_pipeline.training.detector.frames import MixedFrames, YouTubeVisFrames
from vis_pipeline.training.detector.photographs import PhotographScenes
from vis_pipeline.training.detector.runner import train_detector

__all__ = ["MixedFrames", "PhotographScenes", "YouTubeVisFrames", "train_detector"]
