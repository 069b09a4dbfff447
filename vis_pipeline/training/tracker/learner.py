"""The network that learns, its optimiser, and what of it learns at which step."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from vis_pipeline.errors import ConfigError
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.training.checkpoint import TrainingState
from vis_pipeline.training.tracker.crops import PairBatch
from vis_pipeline.training.tracker.norm import fix_statistics, measure_statistics
from vis_pipeline.training.tracker.parts import group_rates, network_parts, parameter_groups, set_learning
from vis_pipeline.training.tracker.recipe import REFINEMENT_SIDE, AdamWCosine, Schedule, SgdLogarithmic
from vis_pipeline.training.tracker.schedule import learning_rate, norm_freeze_step
from vis_pipeline.training.tracker.settings import TrackerTraining
from vis_pipeline.training.tracker.step import loss_names, pair_losses, total_loss

_LABEL_STREAM = 1
_WHOLE_SEARCH = ("score", "box", "similarity")


@dataclass(frozen=True)
class Outcome:
    """What a step gave; `values` float32 on the device: the total loss, the losses by `names`, the gradient's norm."""

    names: tuple[str, ...]
    values: Tensor


class Learner:
    """Learns from one batch after another.

    Raises:
        ConfigError: the architecture is unknown, or has no branch for any of the losses.
    """

    def __init__(self, settings: TrackerTraining, device: torch.device) -> None:
        if settings.architecture not in ARCHITECTURES:
            valid = ", ".join(ARCHITECTURES)
            raise ConfigError(f"cannot train the architecture '{settings.architecture}'; valid: {valid}")
        architecture = ARCHITECTURES[settings.architecture]
        self._settings = settings
        self._device = device
        self._wanted = loss_names(architecture, settings.losses)
        self._check_losses()
        torch.manual_seed(settings.seed)
        self.network: SiamMask = SiamMask(architecture).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._parts = network_parts(self.network, settings.learning, settings.schedule)
        self._optimizer = _optimizer(parameter_groups(self._parts, settings.schedule.weight_decay), settings.schedule)
        self.state = TrainingState(self.network, self._optimizer, settings.schedule.type)

    def enter(self, step: int, batches: Callable[[int], PairBatch]) -> None:
        """Make everything as it must be at a step, in the order of the steps or after a checkpoint was loaded.

        Statistics that are due are measured on `batches(number)`.
        """
        due = self._norms_due(step)
        if due:
            fix_statistics([norm for part in self._parts for norm in part.norms])
            measure_statistics(
                due, lambda number: self._losses(0, batches(number)), self._settings.schedule.norm_batches
            )
        set_learning(self._parts, step)

    def learn(self, step: int, batch: PairBatch) -> Outcome:
        """Learn from a batch. Nothing waits for the device: whether the values are finite, the caller has to ask."""
        schedule = self._settings.schedule
        rates = group_rates(learning_rate(step, schedule), self._settings.learning)
        for group, rate in zip(self._optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        found = self._losses(step, batch)
        loss = total_loss(found, self._settings.losses)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), schedule.clip)
        self._optimizer.step()
        values = torch.stack([loss, *found.values(), norm]).detach().float()
        return Outcome(tuple(found), values)

    def _check_losses(self) -> None:
        settings = self._settings
        if not self._wanted:
            raise ConfigError(f"losses: none with a weight is one of the architecture '{settings.architecture}'")
        wrong = next((name for name in self._wanted if name in _WHOLE_SEARCH), None)
        if wrong and settings.schedule.search_sides[-1][1] == REFINEMENT_SIDE:
            raise ConfigError(f"losses.{wrong}: not to be learned on search crops of {REFINEMENT_SIDE}; set it to 0")

    def _losses(self, step: int, batch: PairBatch) -> dict[str, Tensor]:
        seeds = np.random.SeedSequence((self._settings.seed, _LABEL_STREAM, step))
        generator = torch.Generator(self._device).manual_seed(int(seeds.generate_state(1)[0]))
        half = self._settings.precision == "bfloat16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            return pair_losses(self.network, batch, self._settings.labels, self._wanted, generator)

    def _norms_due(self, step: int) -> list[nn.BatchNorm2d]:
        """Batch norms whose statistics are to be measured before a step."""
        measured = self._settings.learning.backbone_statistics == "measured"
        freeze = norm_freeze_step(self._settings.schedule)
        due = []
        for part in self._parts:
            first = part.backbone and measured and step == 0
            last = step == part.norm_end == freeze and part.learns(step)
            due += part.norms if first or last else []
        return due


def _optimizer(groups: list[dict[str, object]], schedule: Schedule) -> torch.optim.Optimizer:
    """An optimiser whose rates are set at each step; one kernel for all parameters where they lie on CUDA."""
    if isinstance(schedule, SgdLogarithmic):
        return torch.optim.SGD(groups, lr=0.0, momentum=schedule.momentum)
    assert isinstance(schedule, AdamWCosine)
    on_cuda = all(value.is_cuda for group in groups for value in group["params"])  # type: ignore[attr-defined]
    return torch.optim.AdamW(groups, fused=on_cuda or None)
