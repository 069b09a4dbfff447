"""The state of a training on disk: written whole or not at all, read without unpickling code."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vis_pipeline.errors import WeightsError
from vis_pipeline.siammask.network import SiamMask
from vis_pipeline.weights.files import load_strictly


def save_checkpoint(path: Path, step: int, network: SiamMask, optimizer: torch.optim.Optimizer) -> None:
    """Write what the step numbered `step` starts from. The batches need no state: each step seeds its own."""
    written = path.with_suffix(".partial")
    torch.save({"step": step, "network": network.state_dict(), "optimizer": optimizer.state_dict()}, written)
    written.replace(path)


def load_checkpoint(path: Path, network: SiamMask, optimizer: torch.optim.Optimizer) -> int:
    """Restore a checkpoint and return the step to go on with.

    Raises:
        WeightsError: the file is damaged or of another network.
    """
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        tensors: dict[str, Tensor] = content["network"]
        step, optimizer_state = int(content["step"]), content["optimizer"]
    except Exception as error:
        raise WeightsError(f"checkpoint {path}: not readable ({str(error).splitlines()[0]})") from error
    load_strictly(network, tensors, path)
    optimizer.load_state_dict(optimizer_state)
    return step
