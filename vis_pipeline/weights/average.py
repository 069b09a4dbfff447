"""The mean of several weights of one network, from along one training: it often generalises better than any of them.

P. Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, UAI 2018.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.files import read_metadata, read_state_dict, write_state_dict


def average(sources: Sequence[Path], destination: Path) -> None:
    """Write the mean of all floating tensors; counters and the header are those of the last file.

    The statistics of batch norms are averaged like all else, which is close where the weights are close.

    Raises:
        WeightsError: a file cannot be read, or has other tensors than the first.
    """
    sums: dict[str, Tensor] = {}
    for source in sources:
        tensors = read_state_dict(source)
        _require_alike(tensors, sums or tensors, source, sources[0])
        for name, value in tensors.items():
            floating = value.is_floating_point() and name in sums
            sums[name] = sums[name] + value.double() if floating else _wide(value)
    mean = {name: value / len(sources) if value.is_floating_point() else value for name, value in sums.items()}
    write_state_dict(destination, {name: _single(value) for name, value in mean.items()}, read_metadata(sources[-1]))


def _require_alike(tensors: dict[str, Tensor], expected: dict[str, Tensor], source: Path, first: Path) -> None:
    strange = sorted(tensors.keys() ^ expected.keys())
    strange += [name for name in tensors if name in expected and tensors[name].shape != expected[name].shape]
    if strange:
        raise WeightsError(f"weights {source}: {strange[0]} is not as in {first}; average weights of one network")


def _wide(value: Tensor) -> Tensor:
    return value.double() if value.is_floating_point() else value


def _single(value: Tensor) -> Tensor:
    return value.to(torch.float32) if value.is_floating_point() else value
