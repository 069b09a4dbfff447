"""Reading and writing weight files, never by unpickling code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vis_pipeline.errors import WeightsError


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read tensors by name from a `.safetensors` file or a torch checkpoint.

    A torch checkpoint may wrap the tensors in `state_dict`, and its keys may start with `module.`; both are undone.

    Raises:
        WeightsError: the file is missing, damaged, needs code to load, or holds no tensors.
    """
    if not path.is_file():
        raise WeightsError(f"weights {path}: no such file; `vis-pipeline weights list` names what can be fetched")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    tensors = {name.removeprefix("module."): value for name, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        raise WeightsError(f"weights {path}: holds no tensors")
    return tensors


def read_checkpoint(path: Path) -> Mapping[str, Any]:
    """Read all of a torch checkpoint without running code from it: tensors, plain values, and mmengine's loss history.

    Raises:
        WeightsError: the file is missing, damaged, needs code to load, or is not a mapping.
    """
    if not path.is_file():
        raise WeightsError(f"weights {path}: no such file; `vis-pipeline weights list` names what can be fetched")
    try:
        with torch.serialization.safe_globals(_harmless_globals()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        reason = next((line.strip() for line in lines if "Unsupported" in line), lines[0])
        raise WeightsError(f"weights {path}: not a readable checkpoint of plain tensors ({reason})") from error
    if not isinstance(content, Mapping):
        raise WeightsError(f"weights {path}: holds a {type(content).__name__}, expected tensors by name")
    return content


def load_strictly(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Load tensors that must fit the network exactly; `path` is named in errors.

    Raises:
        WeightsError: a key is missing, left over, or of another shape; the first one is named.
    """
    expected = network.state_dict()
    for name, value in expected.items():
        if name not in tensors:
            raise WeightsError(f"weights {path}: key {name} is missing; the file is for another network")
        if tensors[name].shape != value.shape:
            raise WeightsError(
                f"weights {path}: key {name} has shape {list(tensors[name].shape)}, "
                f"but the network has {list(value.shape)}"
            )
    extra = next((name for name in tensors if name not in expected), None)
    if extra is not None:
        raise WeightsError(f"weights {path}: key {extra} has no place in the network")
    network.load_state_dict(dict(tensors))


def write_state_dict(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors as safetensors, floating ones in float16, with `metadata` as JSON text in the header."""
    half = {
        name: (value.half() if value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in tensors.items()
    }
    save_file(half, path, metadata={name: json.dumps(value) for name, value in metadata.items()})


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"weights {path}: not a readable safetensors file ({error})") from error


def _read_torch(path: Path) -> Mapping[str, Any]:
    content = read_checkpoint(path)
    content = content.get("state_dict", content)
    return content if isinstance(content, Mapping) else {}


def _harmless_globals() -> list[Any]:
    """What mmengine's checkpoints name beside tensors: loss histories, which are numpy arrays with four methods.

    numpy 1 and 2 give the same function under two module names.
    """
    from mmengine.logging import HistoryBuffer

    def history_method(owner: Any, name: str) -> Any:
        if owner is not HistoryBuffer or name not in {"min", "max", "mean", "current"}:
            raise WeightsError(f"checkpoint asks for {owner}.{name}, which only code needs")
        return getattr(owner, name)

    scalar, rebuild = type(np.float64(0)).__reduce__(np.float64(0))[0], np.zeros(0).__reduce__()[0]
    numbers = [type(np.dtype(kind)) for kind in ("float64", "float32", "int64", "int32", "bool")]
    return [
        HistoryBuffer,
        np.ndarray,
        np.dtype,
        *numbers,
        (history_method, "builtins.getattr"),
        *((scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
        *((rebuild, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
    ]
