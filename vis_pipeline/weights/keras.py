"""Keras's ResNets (version 1) as TensorFlow.js keeps them: `model.json` with binary shards beside it."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field, NonNegativeInt
from torch import Tensor

from vis_pipeline.data.entries import Entry, one_line, parsed
from vis_pipeline.errors import DataError, WeightsError
from vis_pipeline.files.json_files import read_json
from vis_pipeline.files.regular_files import MOST_ARRAYS, MOST_TEXT, read_regular

TORCH_EPSILON = 1e-5

_BLOCK_LAYER = re.compile(r"conv([2-5])_block(\d+)_([0-3])_(conv|bn)")
_STEM_LAYER = re.compile(r"conv1_(conv|bn)")
_CLASSIFIERS = ("predictions", "probs", "fc1000")
_PARAMETERS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


class _LayerSettings(Entry):
    name: str
    epsilon: float | None = None


class _Layer(Entry):
    config: _LayerSettings


class _Layers(Entry):
    layers: list[_Layer]


class _Network(Entry):
    config: _Layers


class _Topology(Entry):
    network: _Network = Field(alias="model_config")


class _Weight(Entry):
    name: str
    shape: list[NonNegativeInt]
    dtype: str
    quantization: Any = None


class _Group(Entry):
    paths: list[str]
    weights: list[_Weight]


class _Model(Entry):
    modelTopology: _Topology  # noqa: N815 - the file's name for it
    weightsManifest: list[_Group]  # noqa: N815


def read_keras_resnet(path: Path) -> dict[str, Tensor]:
    """Read a Keras ResNet by torchvision's names, kernels [O, I, h, w], convolutions with their biases.

    Keras's batch norms have an epsilon of their own (1.001e-5): the difference to torch's is added to the variances.

    Raises:
        WeightsError: the model cannot be read or is no such ResNet.
    """
    model = _read_model(path)
    epsilons = _epsilons(model)
    tensors = {}
    for name, values in _read_weights(model, path):
        layer, _, parameter = name.rpartition("/")
        layer = layer.rpartition("/")[2]
        tensor = torch.from_numpy(values)
        if parameter == "moving_variance":
            if layer not in epsilons:
                raise WeightsError(f"weights {path}: {layer} states no epsilon")
            tensor = (tensor.double() + epsilons[layer] - TORCH_EPSILON).float()
        tensors[f"{_torch_layer(layer, path)}.{_PARAMETERS.get(parameter, parameter)}"] = _torch_layout(tensor)
    return tensors


def _torch_layer(layer: str, path: Path) -> str:
    if layer in _CLASSIFIERS:
        return "fc"
    if stem := _STEM_LAYER.fullmatch(layer):
        return "conv1" if stem[1] == "conv" else "bn1"
    if block := _BLOCK_LAYER.fullmatch(layer):
        stage, number, place, kind = int(block[1]) - 1, int(block[2]) - 1, int(block[3]), block[4]
        if place == 0:
            return f"layer{stage}.{number}.downsample.{0 if kind == 'conv' else 1}"
        return f"layer{stage}.{number}.{kind}{place}"
    raise WeightsError(f"weights {path}: layer {layer} is not of a Keras ResNet, version 1")


def _torch_layout(tensor: Tensor) -> Tensor:
    """[h, w, I, O] as [O, I, h, w], [I, O] as [O, I]."""
    order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(tensor.ndim)
    return tensor if order is None else tensor.permute(order).contiguous()


def _read_model(path: Path) -> _Model:
    try:
        content = read_json(path, MOST_TEXT)
    except DataError as error:
        raise WeightsError(f"weights {path}: not a readable model.json ({one_line(error)})") from error
    try:
        return parsed(_Model, content)
    except DataError as error:
        raise WeightsError(f"weights {path}: not a Keras model for TensorFlow.js ({error})") from error


def _epsilons(model: _Model) -> dict[str, float]:
    """Epsilon of each batch norm, by its layer's name."""
    layers = (layer.config for layer in model.modelTopology.network.config.layers)
    return {layer.name: layer.epsilon for layer in layers if layer.epsilon is not None}


def _read_weights(model: _Model, path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Each weight's name and float32 values: a group's shards are one run of bytes, its weights lie in it in order."""
    for group in model.weightsManifest:
        coded = next((weight for weight in group.weights if weight.dtype != "float32" or weight.quantization), None)
        if coded is not None:
            raise WeightsError(f"weights {path}: {coded.name} is not plain float32; export without quantization")
        content = b"".join(_read_shard(path.parent, name, path) for name in group.paths)
        counts = [math.prod(weight.shape) for weight in group.weights]
        if 4 * sum(counts) != len(content):
            raise WeightsError(f"weights {path}: its shards hold {len(content)} bytes, its weights {4 * sum(counts)}")
        values = np.frombuffer(content, "<f4").astype(np.float32)
        parts = np.split(values, np.cumsum(counts)[:-1])
        for weight, part in zip(group.weights, parts, strict=False):
            yield weight.name, part.reshape(weight.shape)


def _read_shard(folder: Path, name: str, path: Path) -> bytes:
    shard = folder / name
    if not shard.resolve().is_relative_to(folder.resolve()):
        raise WeightsError(f"weights {path}: its shard {name} lies outside of its folder")
    try:
        return read_regular(shard, MOST_ARRAYS)
    except OSError as error:
        raise WeightsError(f"weights {path}: its shard {name} cannot be read ({error.strerror})") from error
