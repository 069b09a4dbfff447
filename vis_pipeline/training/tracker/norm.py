"""Batch-norm statistics: measured over whole batches, then fixed, so that training sees what prediction will use."""

from collections.abc import Callable, Sequence

import torch
from torch import nn

_RUNNING_MOMENTUM = 0.03


def batch_norms(module: nn.Module) -> list[nn.BatchNorm2d]:
    """Every batch-norm layer."""
    return [inner for inner in module.modules() if isinstance(inner, nn.BatchNorm2d)]


def follow_statistics(norms: Sequence[nn.BatchNorm2d]) -> None:
    """Let the running statistics follow slowly: exemplars, search and second-stage crops share them in turn."""
    for norm in norms:
        norm.train()
        norm.momentum = _RUNNING_MOMENTUM


def measure_statistics(norms: Sequence[nn.BatchNorm2d], forward: Callable[[int], object], batches: int) -> None:
    """Replace the running statistics by the plain mean over `batches` calls of `forward(number of the batch)`.

    A layer that no batch reaches, because no loss is learned from it, keeps its own.
    """
    before = [{name: value.clone() for name, value in norm.state_dict().items()} for norm in norms]
    for norm in norms:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None
    with torch.no_grad():
        for number in range(batches):
            forward(number)
    for norm, statistics in zip(norms, before, strict=True):
        if not norm.num_batches_tracked:
            norm.load_state_dict(statistics)


def fix_statistics(norms: Sequence[nn.BatchNorm2d]) -> None:
    """Normalise by the running statistics from now on; scale and shift keep learning."""
    for norm in norms:
        norm.eval()
