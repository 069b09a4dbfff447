"""The torch device that a user names."""

import math

import torch

from vis_pipeline.errors import ConfigError


def torch_device(name: str | None, option: str = "--device") -> torch.device:
    """The device of this name, `cpu`, `cuda` or `cuda:N`; None is CUDA where there is one, else the CPU.

    `option` is what gave the name, for errors.

    Raises:
        ConfigError: it is none of these, or it is not there.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"{option} {name}: no such device; give cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise ConfigError(f"{option} {name}: torch sees {found} CUDA devices here; `vis-pipeline doctor` may say why")
    return device


def gpu_share(device: str, workers: int) -> float:
    """GPUs for each worker: this machine's shared out for plain `cuda`; none for the CPU, or for one card by number.

    Ray gives a worker its share of one card, and whole shares must fit on it: three on two cards have half a card each.
    """
    cards = torch.cuda.device_count() if device == "cuda" else 0
    return 1 / math.ceil(workers / cards) if cards else 0.0
