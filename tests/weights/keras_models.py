"""A tiny Keras ResNet, version 1: its arrays, its files for TensorFlow.js, and its output computed literally."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1.001e-5

STEM = 4
WIDTHS = (4, 8, 16, 32)
DEPTHS = (3, 4, 6, 3)

Arrays = dict[str, np.ndarray]


def random_arrays(seed: int = 0) -> Arrays:
    """Arrays by Keras's names; kernels [h, w, I, O]."""
    rng = np.random.default_rng(seed)
    arrays: Arrays = {}

    def layer(name: str, side: int, inputs: int, outputs: int) -> None:
        spread = 1 / np.sqrt(side * side * inputs)
        arrays[f"{name}_conv/kernel"] = rng.normal(0, spread, (side, side, inputs, outputs))
        arrays[f"{name}_conv/bias"] = rng.normal(0, 0.5, outputs)
        arrays[f"{name}_bn/gamma"] = rng.uniform(0.5, 1.5, outputs)
        arrays[f"{name}_bn/beta"] = rng.normal(0, 0.2, outputs)
        arrays[f"{name}_bn/moving_mean"] = rng.normal(0, 0.2, outputs)
        arrays[f"{name}_bn/moving_variance"] = rng.uniform(0.5, 1.5, outputs)

    layer("conv1", 7, 3, STEM)
    inputs = STEM
    for stage, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True), start=2):
        for block in range(1, depth + 1):
            name = f"conv{stage}_block{block}"
            if block == 1:
                layer(f"{name}_0", 1, inputs, 4 * width)
            layer(f"{name}_1", 1, inputs, width)
            layer(f"{name}_2", 3, width, width)
            layer(f"{name}_3", 1, width, 4 * width)
            inputs = 4 * width
    return {name: values.astype(np.float32) for name, values in arrays.items()}


def write_model(folder: Path, arrays: Arrays, shards: int = 3, **changes: Any) -> Path:
    """Write `model.json` and its shards; `changes` replace entries of the first weight's description."""
    content = b"".join(values.astype("<f4").tobytes() for values in arrays.values())
    cuts = [len(content) * part // shards + 1 for part in range(1, shards)]  # not between whole numbers, nor weights
    paths = []
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(content)], strict=True), start=1):
        paths.append(f"group1-shard{number}of{shards}.bin")
        (folder / paths[-1]).write_bytes(content[start:end])
    weights = [{"name": name, "shape": list(values.shape), "dtype": "float32"} for name, values in arrays.items()]
    weights[0].update(changes)
    norms = sorted({name.split("/")[0] for name in arrays if "_bn/" in name})
    layers = [{"class_name": "BatchNormalization", "config": {"name": name, "epsilon": EPSILON}} for name in norms]
    model = {
        "modelTopology": {"model_config": {"class_name": "Functional", "config": {"layers": layers}}},
        "weightsManifest": [{"paths": paths, "weights": weights}],
    }
    path = folder / "model.json"
    path.write_text(json.dumps(model))
    return path


def literal_outputs(arrays: Arrays, images: Tensor) -> list[Tensor]:
    """The maps after each stage, for BGR images [N, 3, H, W] in 0..255: float64, biases and epsilon as in Keras."""
    get = {name: torch.from_numpy(values).double() for name, values in arrays.items()}

    def layer(name: str, features: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        kernel = get[f"{name}_conv/kernel"].permute(3, 2, 0, 1)
        found = F.conv2d(features, kernel, get[f"{name}_conv/bias"], stride, padding)
        gamma, beta, mean, variance = (
            get[f"{name}_bn/{part}"][:, None, None] for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return gamma * (found - mean) / torch.sqrt(variance + EPSILON) + beta

    normalised = images.double() - torch.tensor([103.939, 116.779, 123.68], dtype=torch.float64)[:, None, None]
    features = F.max_pool2d(F.relu(layer("conv1", normalised, 2, 3)), 3, 2, 1)
    outputs = []
    for stage, depth in enumerate(DEPTHS, start=2):
        for block in range(1, depth + 1):
            name = f"conv{stage}_block{block}"
            stride = 2 if block == 1 and stage > 2 else 1
            shortcut = layer(f"{name}_0", features, stride) if block == 1 else features
            inner = F.relu(layer(f"{name}_1", features, stride))
            inner = F.relu(layer(f"{name}_2", inner, padding=1))
            features = F.relu(layer(f"{name}_3", inner) + shortcut)
        outputs.append(features)
    return outputs
