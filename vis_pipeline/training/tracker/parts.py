"""The parts of a SiamMask that learn at rates and from steps of their own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.training.tracker.norm import batch_norms, fix_statistics, follow_statistics
from vis_pipeline.training.tracker.recipe import LearningSettings, Schedule
from vis_pipeline.training.tracker.schedule import norm_freeze_step


@dataclass(frozen=True)
class NetworkPart:
    """One part.

    Attributes:
        name: as in :class:`LearningSettings`.
        modules: what it consists of.
        backbone: whether it belongs to the backbone.
        first: the step from which it learns, None for never.
        norm_end: the step from which its batch-norm statistics are fixed; they follow from `first` on.
        fixed: those of its parameters that never learn.
    """

    name: str
    modules: tuple[nn.Module, ...]
    backbone: bool
    first: int | None
    norm_end: int
    fixed: tuple[Tensor, ...] = ()

    @property
    def norms(self) -> list[nn.BatchNorm2d]:
        """Its batch-norm layers."""
        return [norm for module in self.modules for norm in batch_norms(module)]

    def parameters(self) -> Iterator[nn.Parameter]:
        """Its parameters."""
        for module in self.modules:
            yield from module.parameters()

    def learns(self, step: int) -> bool:
        """Whether it learns at a step."""
        return self.first is not None and step >= self.first

    def follows(self, step: int) -> bool:
        """Whether its batch-norm statistics follow the batches at a step."""
        return self.learns(step) and step < self.norm_end


def network_parts(network: SiamMask, learning: LearningSettings, schedule: Schedule) -> tuple[NetworkPart, ...]:
    """All parts of a network, each parameter in one of them, backbone first."""
    heads = {"adjust": network.features.downsample, "rpn_model": network.rpn_model}
    heads |= {
        name: part
        for name, part in (("mask_model", network.mask_model), ("refine_model", network.refine_model))
        if part is not None
    }
    freeze = norm_freeze_step(schedule)
    shares: dict[str, float] = {str(name): share for name, share in learning.backbone.items()}
    firsts = {name: round(share * schedule.steps) for name, share in shares.items()}
    backbone_end = 0 if learning.backbone_statistics == "measured" else freeze
    fixed_kernels = _depthwise_kernels if learning.backbone_kernels == "pointwise" else _none
    return (
        *(
            NetworkPart(name, modules, True, firsts.get(name), backbone_end, fixed_kernels(modules))
            for name, modules in network.trunk_layers().items()
        ),
        *(
            NetworkPart(name, (module,), False, None if name in learning.frozen else 0, freeze)
            for name, module in heads.items()
        ),
    )


def _depthwise_kernels(modules: Iterable[nn.Module]) -> tuple[Tensor, ...]:
    """The kernels of the convolutions that filter each channel by itself."""
    inner = (layer for module in modules for layer in module.modules() if isinstance(layer, nn.Conv2d))
    return tuple(layer.weight for layer in inner if layer.groups == layer.in_channels > 1)


def _none(_: Iterable[nn.Module]) -> tuple[Tensor, ...]:
    return ()


def set_learning(parts: tuple[NetworkPart, ...], step: int) -> None:
    """Make the parts learn, and their batch norms follow, as they must at a step, whatever they did before."""
    for part in parts:
        for parameter in part.parameters():
            parameter.requires_grad_(part.learns(step))
        for kernel in part.fixed:
            kernel.requires_grad_(False)
        (follow_statistics if part.follows(step) else fix_statistics)(part.norms)


def parameter_groups(parts: tuple[NetworkPart, ...], decay: float) -> list[dict[str, Any]]:
    """Backbone and heads for an optimiser, each without and with weight decay (kernels only).

    The order, backbone first, is that of :func:`group_rates`.
    """
    groups = []
    for backbone in (True, False):
        parameters = [value for part in parts if part.backbone is backbone for value in part.parameters()]
        groups.append({"params": [value for value in parameters if value.ndim > 1], "weight_decay": decay})
        groups.append({"params": [value for value in parameters if value.ndim <= 1], "weight_decay": 0.0})
    return groups


def group_rates(rate: float, learning: LearningSettings) -> tuple[float, ...]:
    """The learning rate of each of the groups."""
    return (rate * learning.backbone_rate,) * 2 + (rate,) * 2
