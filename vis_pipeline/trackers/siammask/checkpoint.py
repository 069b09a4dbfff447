"""SiamMask weights: loaded strictly (every key present, none extra, every shape right), saved in two forms."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter

from vis_pipeline.data.entries import one_line
from vis_pipeline.errors import WeightsError
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES, Architecture
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.weights.files import (
    load_strictly,
    misfit,
    read_metadata,
    read_state_dict,
    save_pickled,
    write_state_dict,
    write_whole,
)
from vis_pipeline.weights.misfits import require_siammask

Shape = tuple[int, ...]

# What a file may state of itself; the largest preset has 256 and 6.
_MOST_CHANNELS = 4096
_MOST_BLOCKS = 128
_COUNTED_BRANCHES = {2: ("score", "mask"), 3: ("score", "box", "mask")}


def load_siammask(path: Path, device: torch.device | str = "cpu") -> SiamMask:
    """Build the network that a checkpoint describes and load it, in float32 and evaluation mode.

    The architecture comes from the file's `architecture` metadata (a preset's name or its fields) where it has them,
    otherwise from its keys and shapes.

    Raises:
        WeightsError: the file cannot be read, is a detector's, or a key is missing, extra or of the wrong shape.
    """
    tensors = read_state_dict(path)
    require_siammask(tensors, path)
    declared = _declared_architecture(path)
    architecture = declared or infer_architecture({name: tuple(value.shape) for name, value in tensors.items()})
    # Nothing is allocated before the file is known to hold as much.
    if fault := misfit(_skeleton(architecture, path), tensors):
        what = "are not of the architecture that their metadata states"
        if declared is None:
            nearest = next(name for name, known in ARCHITECTURES.items() if known == architecture)
            what = f"are of none of the architectures {', '.join(ARCHITECTURES)}, nearest of {nearest}"
        raise WeightsError(f"weights {path}: {what} ({fault}); give others as tracker.checkpoint")
    network = SiamMask(architecture)
    load_strictly(network, tensors, path)
    return network.to(device).eval()


def load_segmenting(path: Path, device: torch.device | str = "cpu") -> SiamMask:
    """The same of a network that must make masks.

    Raises:
        WeightsError: the same, or the network has no mask branch.
    """
    network = load_siammask(path, device)
    if not network.architecture.segments:
        raise WeightsError(
            f"weights {path}: a tracker of boxes, without a mask branch, for `vis-pipeline sot` alone; give SiamMask's"
        )
    return network


def save_siammask(path: Path, network: SiamMask, metadata: Mapping[str, Any] | None = None) -> None:
    """Write our form: safetensors in float16 with the architecture, and `metadata`, in the header.

    Raises:
        WeightsError: the file cannot be written.
    """
    named = {architecture: name for name, architecture in ARCHITECTURES.items()}
    architecture = named.get(network.architecture) or asdict(network.architecture)
    write_state_dict(path, network.state_dict(), {**(metadata or {}), "architecture": architecture})


def save_official(path: Path, network: SiamMask) -> None:
    """Write the official release's form: a torch checkpoint `{"state_dict": ...}` of its keys, in float32.

    The keys are the release's (design notes, section 3) for an architecture that it has, ResNet-50 with or without
    refinement; others are saved by the same rule and are read by this project only.

    Raises:
        WeightsError: the file cannot be written; one that was there before is whole.
    """
    tensors = {
        name: (value.float() if value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    write_whole(path, lambda partial: save_pickled({"state_dict": tensors}, partial))


def infer_architecture(shapes: Mapping[str, Shape]) -> Architecture:
    """The preset whose keys and shapes agree best with those given."""

    def agreement(architecture: Architecture) -> int:
        expected = _preset_shapes(architecture)
        agreed = sum(shapes.get(name) == shape for name, shape in expected.items())
        return 2 * agreed - len(expected)

    return max(ARCHITECTURES.values(), key=agreement)


def _skeleton(architecture: Architecture, path: Path) -> SiamMask:
    """The network without its values."""
    try:
        with torch.device("meta"):
            return SiamMask(architecture)
    except (ValueError, RuntimeError, ArithmeticError) as error:
        shown = one_line(asdict(architecture))
        raise WeightsError(f"weights {path}: its metadata describes no network that can be built ({shown})") from error


def _preset_shapes(architecture: Architecture) -> dict[str, Shape]:
    with torch.device("meta"):
        return _shapes_of(SiamMask(architecture))


def _shapes_of(network: SiamMask) -> dict[str, Shape]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _declared_architecture(path: Path) -> Architecture | None:
    declared = read_metadata(path).get("architecture")
    if declared is None:
        return None
    try:
        return _architecture(declared)
    except (ValueError, KeyError, TypeError) as error:
        shown = one_line(declared)
        raise WeightsError(f"weights {path}: its metadata names no known architecture ({shown})") from error


def _architecture(declared: Any) -> Architecture:
    if isinstance(declared, str):
        return ARCHITECTURES[declared]
    if not isinstance(declared, Mapping):
        raise TypeError("not a mapping")
    # Files of old had the branches counted.
    branches = declared.get("branches", 3)
    given = {**declared, "branches": _COUNTED_BRANCHES[branches] if isinstance(branches, int) else branches}
    architecture = TypeAdapter(Architecture).validate_python(given)
    for name, value in asdict(architecture).items():
        numbers = value if isinstance(value, tuple) else (value,)
        most = _MOST_BLOCKS if name == "depths" else _MOST_CHANNELS
        if any(isinstance(number, int) and not 0 <= number <= most for number in numbers):
            raise ValueError(f"{name} is not in 0..{most}")
    return architecture
