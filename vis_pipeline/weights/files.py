"""Reading and writing weight files, never by unpickling code."""

import hashlib
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from vis_pipeline.errors import WeightsError
from vis_pipeline.files.json_files import parsed_json
from vis_pipeline.files.json_stream import DamagedJsonError
from vis_pipeline.files.regular_files import MOST_ARRAYS, require_regular
from vis_pipeline.files.whole_files import replacing

DIGEST_KEY = "tensors_sha256"
"""In the header of our safetensors: the format itself has no checksum."""

_ASKED = re.compile(r"unsupported (?:global|class)[^\n]*?(\w+(?:\.\w+)+)", re.IGNORECASE)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read tensors by name from a `.safetensors` file or a torch checkpoint.

    A torch checkpoint may wrap the tensors in `state_dict`, and its keys may start with `module.`; both are undone.

    Raises:
        WeightsError: the file is missing, damaged, needs code to load, holds no tensors, or one that is not finite.
    """
    if path.suffix == ".safetensors":
        return state_tensors(_read_safetensors(path), path)
    content = read_checkpoint(path)
    return state_tensors(content.get("state_dict", content), path)


def state_tensors(content: Any, source: Path) -> dict[str, Tensor]:
    """The tensors of a mapping by their names, without a `module.` before them.

    Raises:
        WeightsError: there are none, a key is no name, or one is not plain (dense, and as large as what the file holds
            of it) or not finite.
    """
    content = content if isinstance(content, Mapping) else {}
    if strange := [key for key in content if not isinstance(key, str)]:
        raise WeightsError(f"weights {source}: has {strange[0]!r} among its keys, which is no name of a tensor")
    tensors = {name.removeprefix("module."): value for name, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        raise WeightsError(f"weights {source}: holds no tensors")
    for name, value in tensors.items():
        if not _is_plain(value):
            raise WeightsError(f"weights {source}: {name} is no plain tensor; the file is damaged")
        if not _is_finite(value):
            raise WeightsError(f"weights {source}: {name} holds values that are not finite; the file is damaged")
    return tensors


def read_metadata(path: Path) -> dict[str, Any]:
    """The metadata in the header of safetensors, decoded where they are JSON; empty for other files.

    Raises:
        WeightsError: the file is damaged.
    """
    if path.suffix != ".safetensors":
        return {}
    _require_readable(path)
    try:
        with safe_open(path, framework="pt") as file:
            texts: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"weights {path}: not a readable safetensors file ({error})") from error
    return {name: _decoded(text) for name, text in texts.items() if name != DIGEST_KEY}


def read_checkpoint(path: Path) -> Mapping[str, Any]:
    """Read all of a torch checkpoint without running code from it: tensors, plain values, and mmengine's loss history.

    Raises:
        WeightsError: the file is missing, damaged, needs code to load, or is not a mapping.
    """
    _require_readable(path)
    try:
        _require_stored(path)
        with torch.serialization.safe_globals(_harmless_globals()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a crafted file makes torch raise is the file's fault
        raise WeightsError(f"weights {path}: not a readable checkpoint of plain tensors ({_why(error)})") from error
    if not isinstance(content, Mapping):
        raise WeightsError(f"weights {path}: holds a {type(content).__name__}, expected tensors by name")
    return content


def load_strictly(network: nn.Module, tensors: Mapping[str, Tensor], source: Path | str) -> None:
    """Copy tensors that must fit the network exactly (float16 is cast); `source` names them in errors.

    Only BatchNorm's step counters may be missing: old checkpoints lack them, and nothing reads them when predicting.

    Raises:
        WeightsError: names the first key that is missing, extra or of the wrong shape.
    """
    if found := misfit(network, tensors):
        raise WeightsError(f"weights {source}: {found}")
    network.load_state_dict(dict(tensors), strict=False)


def misfit(network: nn.Module, tensors: Mapping[str, Tensor]) -> str | None:
    """Why :func:`load_strictly` would refuse the tensors: the first key that does not fit; None where it would not."""
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    counters = {name for name in expected if is_counter(name)}
    misfits = {
        "missing key": expected.keys() - tensors.keys() - counters,
        "unexpected key": tensors.keys() - expected.keys(),
        "wrong shape of": {
            name for name in expected.keys() & tensors.keys() if tuple(tensors[name].shape) != expected[name]
        },
    }
    for kind, names in misfits.items():
        if names:
            first = min(names)
            others = f" and {len(names) - 1} more" if len(names) > 1 else ""
            shapes = f": {list(tensors[first].shape)}, expected {list(expected[first])}" if "shape" in kind else ""
            return f"{kind} {first}{shapes}{others}"
    return None


def is_counter(name: str) -> bool:
    """Whether it is a batch norm's count of batches, which nothing reads when predicting."""
    return name.endswith(".num_batches_tracked")


def write_state_dict(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors as safetensors, floating ones in float16, with `metadata` as JSON text in the header.

    A tensor with values beyond float16 stays as it is: variances behind a first convolution over 0..255 can be.

    Raises:
        WeightsError: the file cannot be written; one that was there before is whole.
    """
    write_tensors(path, {name: _halved(value) for name, value in tensors.items()}, metadata)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors as safetensors as they are, with `metadata` as JSON text in the header.

    Raises:
        WeightsError: the file cannot be written; one that was there before is whole.
    """
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    header = {name: json.dumps(value) for name, value in metadata.items()}
    header[DIGEST_KEY] = _digest(plain)
    content = save(plain, metadata=header)  # its own way to a file lets nobody else read it, whatever the umask
    write_whole(path, lambda filled: filled.write_bytes(content))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, and put it in place when it is complete.

    Raises:
        WeightsError: the file cannot be written; one that was there before is whole.
    """
    try:
        with replacing(path) as filled:
            write(filled)
    except (OSError, RuntimeError) as error:  # torch wraps what the disk says
        raise WeightsError(f"weights {path}: cannot be written ({str(error).splitlines()[0]})") from error


def save_pickled(content: Any, filled: Path) -> None:
    """`torch.save`; an error of the disk comes in the disk's own words, which torch hides where it opens the file."""
    with filled.open("wb") as file:
        torch.save(content, file)


def _require_readable(path: Path) -> None:
    try:
        require_regular(path, MOST_ARRAYS)
    except FileNotFoundError as error:
        hint = "no such file; `vis-pipeline weights list` names what can be fetched"
        raise WeightsError(f"weights {path}: {hint}") from error
    except OSError as error:
        raise WeightsError(f"weights {path}: cannot be read ({error.strerror})") from error


def _require_stored(path: Path) -> None:
    """Torch's archives hold their records as they are: one that is compressed was made to fill the memory."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        for record in archive.infolist():
            if record.file_size > record.compress_size:
                raise ValueError(f"its {record.filename} is compressed, which torch never does")
        # Torch itself passes over the checksums that it writes.
        if damaged := archive.testzip():
            raise ValueError(f"its {damaged} has not its checksum; it is damaged")


def _why(error: Exception) -> str:
    """A line of torch's many: the global that a file asks for where that is it."""
    text = str(error) or type(error).__name__
    if asked := _ASKED.search(text):
        return f"it asks for {asked[1]}, which only code needs"
    return text.strip().splitlines()[0]


def _is_plain(value: Tensor) -> bool:
    if value.layout is not torch.strided or value.device.type != "cpu" or value.is_quantized:
        return False
    # By strides of zero a few bytes are a tensor of any size.
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _is_finite(value: Tensor) -> bool:
    if not (value.is_floating_point() or value.is_complex()):
        return True
    # Torch asks this of no float of eight bits.
    wide = value.float() if value.element_size() == 1 else value
    return bool(wide.isfinite().all())


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    _require_readable(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            stated = (file.metadata() or {}).get(DIGEST_KEY)
    except Exception as error:  # of kinds that torch lacks it raises others
        raise WeightsError(f"weights {path}: not a readable safetensors file ({error})") from error
    if stated not in (None, _digest(tensors)):
        raise WeightsError(f"weights {path}: its tensors are not those of the digest in its header; it is damaged")
    return tensors


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """The SHA-256 of all tensors: names, kinds, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _halved(value: Tensor) -> Tensor:
    if not value.is_floating_point():
        return value
    half = value.half()
    return value if bool((half.isinf() & value.isfinite()).any()) else half


def _decoded(text: str) -> Any:
    try:
        return parsed_json(text)
    except DamagedJsonError:  # another program's plain words, such as `format: pt`
        return text


def _harmless_globals() -> list[Any]:
    """What mmengine's checkpoints name beside tensors: loss histories, which are numpy arrays with four methods.

    numpy 1 and 2 give the same function under two module names.
    """
    from mmengine.logging import HistoryBuffer

    def history_method(owner: Any, name: str) -> Any:
        if owner is not HistoryBuffer or name not in {"min", "max", "mean", "current"}:
            raise WeightsError(f"checkpoint asks for {owner}.{name}, which only code needs")
        return getattr(owner, name)

    scalar, rebuild = np.float64(0).__reduce__()[0], np.zeros(0).__reduce__()[0]
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
