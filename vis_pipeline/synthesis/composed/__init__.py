"""Composed videos: real cut-outs in motion over real frames, as a deterministic YouTube-VIS split.

`open_inputs` finds what can be cut out and what lies behind it; `write_split` puts a split on disk.
"""

from vis_pipeline.synthesis.common.split import SplitFigures
from vis_pipeline.synthesis.composed.backgrounds import Background
from vis_pipeline.synthesis.composed.inputs import Inputs, open_inputs
from vis_pipeline.synthesis.composed.settings import CROWD, HARD, NORMAL, ComposeSettings
from vis_pipeline.synthesis.composed.sources import Library
from vis_pipeline.synthesis.composed.split import write_split

__all__ = [
    "CROWD",
    "HARD",
    "NORMAL",
    "Background",
    "ComposeSettings",
    "Inputs",
    "Library",
    "SplitFigures",
    "open_inputs",
    "write_split",
]
