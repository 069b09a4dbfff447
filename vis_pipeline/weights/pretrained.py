"""Image-classification weights of ResNets in the forms they are published in, brought to one form."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.files import is_counter, read_metadata, read_state_dict, write_tensors
from vis_pipeline.weights.keras import read_keras_resnet
from vis_pipeline.weights.normalisation import CAFFE, RAW_BGR, TORCHVISION, Normalisation

Style = Literal["pytorch", "caffe"]

METADATA_KEY = "pretraining"
_SIAMMASK_PREFIX = "features.features."
_MARKS = ("conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight")


@dataclass(frozen=True)
class Pretrained:
    """A ResNet's tensors, and what a network must know to use them.

    Attributes:
        source: the file they are from.
        tensors: by torchvision's names (`conv1.weight`, `layer1.0.bn1.running_var`, ...), convolutions without biases,
            batch norms for torch's epsilon of 1e-5 and without counts of batches.
        style: mmdet's word for where a bottleneck strides: `pytorch` in the 3x3, `caffe` in the 1x1 before it.
        normalisation: how images were given when the weights were learned.
        prefix: what stood before the names in the file.
        others: names in the file that stood outside of that prefix.
    """

    source: Path
    tensors: Mapping[str, Tensor]
    style: Style
    normalisation: Normalisation
    prefix: str = ""
    others: tuple[str, ...] = ()


def read_pretrained(path: Path) -> Pretrained:
    """Read a ResNet from a file, by its form:

    * a torch checkpoint or safetensors with torchvision's names, as they are or behind a prefix (mmdet, mmpretrain:
      `backbone.`). Taken to be of style `pytorch`, learned with torchvision's normalisation: nothing in them tells
      (mmdet's `caffe` ones: :func:`learned_like_caffe`); safetensors of :func:`write_pretrained` do tell;
    * a SiamMask (`features.features.`), learned on BGR in 0..255;
    * `model.json` of a Keras ResNet for TensorFlow.js, with its shards beside it: style `caffe`, BGR minus the mean.

    Raises:
        WeightsError: the file cannot be read, or holds no ResNet.
    """
    keras = path.suffix == ".json"
    read = read_keras_resnet(path) if keras else read_state_dict(path)
    everything = {name: value for name, value in read.items() if not is_counter(name)}
    prefix = _prefix(everything, path)
    if keras:
        return Pretrained(path, fold_biases(everything), "caffe", CAFFE)
    tensors = {name.removeprefix(prefix): value for name, value in everything.items() if name.startswith(prefix)}
    others = tuple(name for name in everything if not name.startswith(prefix))
    normalisation = RAW_BGR if prefix == _SIAMMASK_PREFIX else TORCHVISION
    found = Pretrained(path, fold_biases(tensors), "pytorch", normalisation, prefix, others)
    declared = read_metadata(path).get(METADATA_KEY)
    return found if declared is None else _declared(found, declared)


def write_pretrained(pretrained: Pretrained, path: Path) -> None:
    """Write as safetensors in full precision, with style and normalisation in the header.

    Raises:
        WeightsError: the file cannot be written.
    """
    declared = {"style": pretrained.style, **asdict(pretrained.normalisation)}
    write_tensors(path, pretrained.tensors, {METADATA_KEY: declared})


def learned_like_caffe(pretrained: Pretrained) -> Pretrained:
    """The same tensors, taken to be of style `caffe` and learned on BGR minus the mean."""
    return replace(pretrained, style="caffe", normalisation=CAFFE)


def fold_biases(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Move the biases of convolutions into the means of the batch norms after them."""
    folded = dict(tensors)
    for name in tensors:
        norm = _norm_after(name)
        if norm is not None and f"{norm}.running_mean" in tensors:
            folded[f"{norm}.running_mean"] = tensors[f"{norm}.running_mean"] - folded.pop(name)
    return folded


def _norm_after(name: str) -> str | None:
    """`layer1.0.bn2` of `layer1.0.conv2.bias`; None of what is not the bias of a ResNet's convolution."""
    owner, _, kind = name.rpartition(".")
    block, _, layer = owner.rpartition(".")
    if kind != "bias":
        return None
    if layer == "0" and block.endswith("downsample"):
        return f"{block}.1"
    return f"{block}.{layer.replace('conv', 'bn')}".lstrip(".") if layer.startswith("conv") else None


def _prefix(names: Mapping[str, Tensor], path: Path) -> str:
    candidates = [name.removesuffix(_MARKS[0]) for name in names if name.endswith(_MARKS[0])]
    for prefix in sorted(candidates, key=len):
        if all(prefix + mark in names for mark in _MARKS):
            return prefix
    raise WeightsError(f"weights {path}: holds no ResNet ({', '.join(_MARKS)}, as they are or behind one prefix)")


def _declared(found: Pretrained, declared: Any) -> Pretrained:
    try:
        mean, std = ((float(b), float(g), float(r)) for b, g, r in (declared["mean"], declared["std"]))
        style, order = declared["style"], declared["order"]
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"weights {found.source}: its metadata '{METADATA_KEY}' is damaged ({declared})") from error
    if style not in ("pytorch", "caffe") or order not in ("bgr", "rgb"):
        raise WeightsError(f"weights {found.source}: its metadata '{METADATA_KEY}' is damaged ({declared})")
    return replace(found, style=style, normalisation=Normalisation(order, mean, std))
