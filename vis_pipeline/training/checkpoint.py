"""The state of a training on disk: written whole or not at all, read without unpickling code."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.files import load_strictly, read_checkpoint, save_pickled, state_tensors, write_whole


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
    content = read_checkpoint(path)
    try:
        tensors = state_tensors(content["state_dict"], path)
        step, schedule, optimizer = int(content["step"]), content["schedule"], content["optimizer"]
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"checkpoint {path}: not one of a training ({error!r})") from error
    if schedule != state.schedule:
        raise WeightsError(f"checkpoint {path}: of a training with {schedule}, the config says {state.schedule}")
    load_strictly(state.network, tensors, path)
    try:
        state.optimizer.load_state_dict(optimizer)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"checkpoint {path}: its optimiser does not fit ({error})") from error
    return step
