"""Procedural videos: a deterministic YouTube-VIS split of textured shapes in motion.

`generate_video` is the pure core (seed and index in, arrays out); `write_split` puts a split on disk.
"""

from vis_pipeline.synthesis.common.split import SplitFigures
from vis_pipeline.synthesis.procedural.settings import (
    CROWD,
    HARD,
    NORMAL,
    RETURNS,
    ReturnsSettings,
    SceneSettings,
)
from vis_pipeline.synthesis.procedural.shapes import CATEGORY_NAMES
from vis_pipeline.synthesis.procedural.split import write_split
from vis_pipeline.synthesis.procedural.video import ProceduralVideo, generate_video

__all__ = [
    "CATEGORY_NAMES",
    "CROWD",
    "HARD",
    "NORMAL",
    "RETURNS",
    "ProceduralVideo",
    "ReturnsSettings",
    "SceneSettings",
    "SplitFigures",
    "generate_video",
    "write_split",
]
