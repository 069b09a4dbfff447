"""Batch-norm statistics: measured over whole batches, then fixed, so that training sees what prediction will use."""

from collections.abc import Callable

import torch
from torch import nn

_RUNNING_MOMENTUM = 0.03


def batch_norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    """Every batch-norm layer."""
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


def follow_statistics(network: nn.Module) -> None:
    """Let the running statistics follow slowly: exemplars, search and second-stage crops share them in turn."""
    for norm in batch_norms(network):
        norm.momentum = _RUNNING_MOMENTUM


def measure_statistics(network: nn.Module, forward: Callable[[int], object], batches: int) -> None:
    """Replace the running statistics by the plain mean over `batches` calls of `forward(number of the batch)`."""
    for norm in batch_norms(network):
        norm.reset_running_stats()
        norm.momentum = None
    with torch.no_grad():
        for number in range(batches):
            forward(number)


def fix_statistics(network: nn.Module) -> None:
    """Normalise by the running statistics from now on; scale and shift keep learning."""
    for norm in batch_norms(network):
        norm.eval()
