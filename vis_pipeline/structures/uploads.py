"""Arrays of the host on the way to a device."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def uploaded(values: NDArray[Any] | Tensor, device: torch.device) -> Tensor:
    """An array or tensor of the host on a device; nobody waits until it is there.

    A copy to CUDA goes by pinned memory, which PyTorch keeps until the copy is done: from any other the host would wait
    for all that the device has been given before. On the CPU it is the same memory.
    """
    host = values if isinstance(values, Tensor) else torch.from_numpy(values)
    return (host.pin_memory() if device.type == "cuda" else host).to(device, non_blocking=True)
