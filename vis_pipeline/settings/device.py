"""The torch device that a user names."""

import math

import torch

from vis_pipeline.errors import ConfigError

# Of a mask's pixel: detected, predicted, last seen, stacked, and warped in float32.
MASK_BYTES = 8
MOST_TOGETHER = 8


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


def videos_at_a_time(device: str, share: float, pixels: int, masks: int) -> int:
    """How many videos a worker can advance together: one on the CPU, where it gains little; on CUDA what memory holds.

    By reckoning, not by measurement: each of a video's masks is there as flags of several kinds and, for a moment, as
    float32, and half of the card's free memory is left to the networks.

    Args:
        device: `cpu`, `cuda` or `cuda:N`.
        share: of the card that the worker has.
        pixels: of the largest frame.
        masks: of a frame at most, detections and tracks together.
    """
    if torch.device(device).type != "cuda":
        return 1
    free, _ = torch.cuda.mem_get_info(device)
    needed = pixels * masks * MASK_BYTES
    return int(min(MOST_TOGETHER, max(1, free * share / 2 // needed)))


def gpu_share(device: str, workers: int) -> float:
    """GPUs for each worker: this machine's shared out for plain `cuda`; none for the CPU, or for one card by number.

    Ray gives a worker its share of one card, and whole shares must fit on it: three on two cards have half a card each.
    """
    cards = torch.cuda.device_count() if device == "cuda" else 0
    return 1 / math.ceil(workers / cards) if cards else 0.0
