"""Loading SiamMask weights strictly: every key present, none extra, every shape right."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from vis_pipeline.errors import WeightsError
from vis_pipeline.siammask.architectures import ARCHITECTURES, Architecture
from vis_pipeline.siammask.network import SiamMask
from vis_pipeline.weights.files import load_strictly, read_state_dict

Shape = tuple[int, ...]


def load_siammask(path: Path, device: torch.device | str = "cpu") -> SiamMask:
    """Build the network that a checkpoint describes and load it, in float32 and evaluation mode.

    The architecture comes from the file's `architecture` metadata (a preset's name or its fields) where it has them,
    otherwise from its keys and shapes.

    Raises:
        WeightsError: the file cannot be read, or a key is missing, extra or of the wrong shape.
    """
    tensors = read_state_dict(path)
    architecture = _declared_architecture(path) or infer_architecture(
        {name: tuple(value.shape) for name, value in tensors.items()}
    )
    network = SiamMask(architecture)
    load_strictly(network, tensors, path)
    return network.to(device).eval()


def infer_architecture(shapes: Mapping[str, Shape]) -> Architecture:
    """The preset whose keys and shapes agree best with those given."""

    def agreement(architecture: Architecture) -> int:
        expected = _preset_shapes(architecture)
        agreed = sum(shapes.get(name) == shape for name, shape in expected.items())
        return 2 * agreed - len(expected)

    return max(ARCHITECTURES.values(), key=agreement)


def _preset_shapes(architecture: Architecture) -> dict[str, Shape]:
    with torch.device("meta"):
        return _shapes_of(SiamMask(architecture))


def _shapes_of(network: SiamMask) -> dict[str, Shape]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _declared_architecture(path: Path) -> Architecture | None:
    if path.suffix != ".safetensors":
        return None
    with safe_open(path, framework="pt") as file:
        text = (file.metadata() or {}).get("architecture")
    if text is None:
        return None
    try:
        return _architecture(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"weights {path}: its metadata names no known architecture ({text})") from error


def _architecture(declared: Any) -> Architecture:
    if isinstance(declared, str):
        return ARCHITECTURES[declared]
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in declared.items()}
    return Architecture(**given)
