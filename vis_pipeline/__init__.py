"""Multi-object video instance segmentation: HTC detections, two-stage SiamMask, Hungarian association."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vis_pipeline.pipeline import Pipeline as Pipeline
    from vis_pipeline.structures.tracks import FrameTracks as FrameTracks
    from vis_pipeline.structures.tracks import MaskState as MaskState

__version__ = "0.1.0"
__all__ = ["FrameTracks", "MaskState", "Pipeline"]

# Imported when they are asked for: the models take seconds to import, and the command line has `--help`.
_EXPORTED = {
    "FrameTracks": "vis_pipeline.structures.tracks",
    "MaskState": "vis_pipeline.structures.tracks",
    "Pipeline": "vis_pipeline.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_EXPORTED[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTED])
