"""The state of a training on disk: written whole or not at all, read without unpickling code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.files import load_strictly, save_pickled, write_whole


@dataclass(frozen=True)
class TrainingState:
    """What a step starts from. The batches need no state: each step seeds its own.

    Attributes:
        network, optimizer: as they are before the step.
        schedule: `type` of the schedule, as an optimiser's state fits no other.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: str


def save_checkpoint(path: Path, step: int, state: TrainingState) -> None:
    """Write what the step numbered `step` starts from; weights as float32 under `state_dict`.

    Raises:
        WeightsError: the file cannot be written; one that was there before is whole.
    """
    content = {
        "step": step,
        "schedule": state.schedule,
        "state_dict": state.network.state_dict(),
        "optimizer": state.optimizer.state_dict(),
    }
    write_whole(path, lambda filled: save_pickled(content, filled))


def load_checkpoint(path: Path, state: TrainingState) -> int:
    """Restore a checkpoint and return the step to go on with.

    Raises:
        WeightsError: the file is damaged, of another network, or of another optimiser.
    """
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        tensors: dict[str, Tensor] = content["state_dict"]
        step, schedule, optimizer = int(content["step"]), content["schedule"], content["optimizer"]
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"checkpoint {path}: not readable ({reason})") from error
    if schedule != state.schedule:
        raise WeightsError(f"checkpoint {path}: of a training with {schedule}, the config says {state.schedule}")
    load_strictly(state.network, tensors, path)
    try:
        state.optimizer.load_state_dict(optimizer)
    except (ValueError, KeyError) as error:
        raise WeightsError(f"checkpoint {path}: its optimiser does not fit ({error})") from error
    return step
