"""The states of targets as tensors by name: a walk over the fields of frozen dataclasses.

Every way to choose keeps numbers, arrays, features, and values of such fields, one in the other or in tuples; their
type hints say which. Settings are not written: who reads a state has them.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import numpy as np
import torch
from torch import Tensor

_SETTINGS = "settings"


def packed(value: Any, name: str) -> dict[str, Tensor]:
    """A value by name; what it consists of has names that begin with it.

    Raises:
        TypeError: it has a part that is nothing of what states consist of.
    """
    if isinstance(value, Tensor):
        return {name: value}
    if isinstance(value, np.ndarray):
        return {name: torch.from_numpy(value)}
    if isinstance(value, (int, float)):
        return {name: torch.tensor(value, dtype=torch.float64 if isinstance(value, float) else torch.int64)}
    if isinstance(value, tuple):
        parts = [packed(part, f"{name}.{place}") for place, part in enumerate(value)]
        return {
            f"{name}.count": torch.tensor(len(value)),
            **{key: part for each in parts for key, part in each.items()},
        }
    if is_dataclass(value):
        named: dict[str, Tensor] = {}
        for field in fields(value):
            if field.name != _SETTINGS:
                named |= packed(getattr(value, field.name), f"{name}.{field.name}")
        return named
    raise TypeError(f"{name}: {type(value).__name__} is no part of a state")


def unpacked(
    tensors: Mapping[str, Tensor], name: str, hint: Any, feature: type, settings: Any, device: torch.device
) -> Any:
    """A value of a type from what :func:`packed` made of it; features, of a type of their own, go to the device.

    Raises:
        TypeError: states have no parts of that type.
    """
    if isinstance(hint, TypeVar):
        hint = feature
    if hint is Tensor:
        return tensors[name].to(device)
    if hint in (int, float):
        return tensors[name].item()
    origin: Any = get_origin(hint) or hint
    if origin is np.ndarray:
        return tensors[name].numpy()
    if origin is tuple:
        part = get_args(hint)[0]
        count = int(tensors[f"{name}.count"])
        return tuple(unpacked(tensors, f"{name}.{place}", part, feature, settings, device) for place in range(count))
    if is_dataclass(origin):
        hints = get_type_hints(origin)
        return cast(Any, origin)(
            **{
                field.name: settings
                if field.name == _SETTINGS
                else unpacked(tensors, f"{name}.{field.name}", hints[field.name], feature, settings, device)
                for field in fields(origin)
            }
        )
    raise TypeError(f"{name}: {hint} is no part of a state")
