"""What to say of weights that do not fit: whose they are, where their keys or their header tell."""

from collections.abc import Iterable
from pathlib import Path

from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.files import read_metadata
from vis_pipeline.weights.registry import PUBLISHED

_SIAMMASK = {"features", "rpn_model"}
_DETECTOR = {"backbone"}


def require_detector(names: Iterable[str], source: Path) -> None:
    """Raise WeightsError if tensors of these names are SiamMask's."""
    if _parts(names) >= _SIAMMASK:
        raise WeightsError(
            f"weights {source}: these are SiamMask's (tracker.checkpoint), not a detector's (detector.checkpoint)"
        )


def require_siammask(names: Iterable[str], source: Path) -> None:
    """Raise WeightsError if tensors of these names are a detector's."""
    if _parts(names) >= _DETECTOR:
        raise WeightsError(
            f"weights {source}: these are a detector's (detector.checkpoint), not SiamMask's (tracker.checkpoint)"
        )


def other_config(config: str, checkpoint: Path, reason: str) -> WeightsError:
    """That a detector's config and weights do not belong together, `reason` says why, and what to do."""
    own = _config_of(checkpoint)
    remedy = "give the config that they were trained with, detector.config, or others, detector.checkpoint"
    if own not in (None, config):
        remedy = f"they belong to detector.config={own}"
    return WeightsError(f"weights {checkpoint}: do not belong to config {config} ({reason}); {remedy}")


def _config_of(checkpoint: Path) -> str | None:
    """The config that the weights' header states, or that the published file of this name belongs to."""
    stated = read_metadata(checkpoint).get("config")
    if isinstance(stated, str):
        return stated
    return next((known.config for known in PUBLISHED.values() if known.file_name == checkpoint.name), None)


def _parts(names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}
