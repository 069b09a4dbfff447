"""Starting a ResNet backbone from weights that were learned on images, on ImageNet above all."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.files import is_counter
from vis_pipeline.weights.normalisation import RAW_BGR, Normalisation, refit
from vis_pipeline.weights.pretrained import Pretrained, read_pretrained

_SAME_ZERO_POINT = 0.5
"""Grey levels. Published means of ImageNet differ by less; padding is then as good as black on black."""


@dataclass(frozen=True)
class LoadReport:
    """What became of a backbone and of a file.

    Attributes:
        source: the file.
        loaded: keys of the backbone that were set.
        kept: keys of the backbone that were left as they were, with the reason.
        unused: names in the file that the backbone has no place for.
        remarks: what was adapted on the way, a phrase each.
    """

    source: Path
    loaded: tuple[str, ...]
    kept: Mapping[str, str]
    unused: tuple[str, ...]
    remarks: tuple[str, ...]

    def __str__(self) -> str:
        """One paragraph, counted by layers."""
        total = len(self.loaded) + len(self.kept)
        parts = [f"weights {self.source}: loaded {len(self.loaded)} of {total} tensors ({_layers(self.loaded)})"]
        parts += self.remarks
        for reason in sorted(set(self.kept.values())):
            keys = [key for key, given in self.kept.items() if given == reason]
            parts.append(f"left as they were, {reason}: {_layers(keys)}")
        if self.unused:
            parts.append(f"not used from the file: {_layers(self.unused)}")
        return "; ".join(parts) + "."


def load_backbone(backbone: nn.Module, path: Path, images: Normalisation = RAW_BGR) -> LoadReport:
    """Set the tensors of a ResNet (SiamMask's trunk `network.features.features`, mmdet's `model.backbone`) from a file.

    The file is any that :func:`~vis_pipeline.weights.pretrained.read_pretrained` knows. `images` says how images reach
    the backbone: SiamMask's as they are; mmdet's as its preprocessor gives them, so pass
    `Normalisation.of_preprocessor(config.model.data_preprocessor)`. What differs from the way the weights were learned
    is put into `conv1` and `bn1`, so that the features are right from the first step.

    SiamMask's 3x3 shortcuts get the file's 1x1 kernels in their middle, which is the same function. One difference
    stays: SiamMask strides in the 3x3 convolutions (and dilates layer3) where Caffe's weights stride in the 1x1 before
    them. The shapes are the same, so they load, and training has to bridge it. Counts of batches are never loaded.

    Raises:
        WeightsError: the file cannot be read or holds no ResNet, a tensor has another shape than the backbone's, an
            mmdet backbone's `style` is not that of the weights, or a padding backbone gets images with another zero.
    """
    pretrained = read_pretrained(path)
    expected = {key: value for key, value in backbone.state_dict().items() if not is_counter(key)}
    _check_style(backbone, pretrained)
    _check_padding(backbone, pretrained, images)
    tensors = pretrained.tensors
    loaded = tuple(key for key in expected if key in tensors)
    fitted = {key: _fitted(tensors[key], expected[key], key, path) for key in loaded}
    remarks = []
    if pretrained.normalisation != images:
        fitted["conv1.weight"], fitted["bn1.running_mean"] = refit(
            fitted["conv1.weight"], fitted["bn1.running_mean"], pretrained.normalisation, images
        )
        remarks.append(f"conv1 and bn1 refitted from {pretrained.normalisation} to {images}")
    widened = [key for key in loaded if fitted[key].shape != tensors[key].shape]
    if widened:
        remarks.append(f"1x1 shortcuts put into the middle of 3x3 kernels: {_layers(widened)}")
    if pretrained.style == "caffe" and _strides_in_3x3(backbone):
        remarks.append("learned with the stride in the 1x1 convolutions, which this backbone has in the 3x3")
    backbone.load_state_dict(fitted, strict=False)
    return LoadReport(
        source=path,
        loaded=loaded,
        kept={key: "not in the file" for key in expected if key not in tensors},
        unused=tuple(pretrained.prefix + key for key in tensors if key not in expected) + pretrained.others,
        remarks=tuple(remarks),
    )


def _check_style(backbone: nn.Module, pretrained: Pretrained) -> None:
    style = getattr(backbone, "style", None)  # mmdet's ResNets have one, SiamMask's trunk has no choice
    if style is not None and style != pretrained.style:
        raise WeightsError(
            f"weights {pretrained.source}: learned with style '{pretrained.style}', the backbone has '{style}'; "
            f"set model.backbone.style='{pretrained.style}' and "
            f"model.data_preprocessor: {pretrained.normalisation.as_mmdet()}"
        )


def _check_padding(backbone: nn.Module, pretrained: Pretrained, images: Normalisation) -> None:
    """Where conv1 pads with zeros, zero must be the same colour, or each image gets a frame of another."""
    convolution = getattr(backbone, "conv1", None)
    if not isinstance(convolution, nn.Conv2d) or not hasattr(backbone, "bn1"):
        raise WeightsError(
            f"weights {pretrained.source}: the {type(backbone).__name__} has no conv1 and bn1; a ResNet is needed"
        )
    apart = float((images.zero_point - pretrained.normalisation.zero_point).abs().max())
    if any(convolution.padding) and apart > _SAME_ZERO_POINT:
        raise WeightsError(
            f"weights {pretrained.source}: learned on {pretrained.normalisation}, the backbone gets {images}; "
            f"set model.data_preprocessor: {pretrained.normalisation.as_mmdet()}"
        )


def _fitted(tensor: Tensor, place: Tensor, key: str, path: Path) -> Tensor:
    if tensor.shape == place.shape:
        return tensor
    if key.endswith("downsample.0.weight") and tensor.shape == (*place.shape[:2], 1, 1):
        widened = torch.zeros(place.shape, dtype=tensor.dtype)
        widened[:, :, place.shape[2] // 2, place.shape[3] // 2] = tensor[:, :, 0, 0]
        return widened
    raise WeightsError(f"weights {path}: {key} is {list(tensor.shape)}, the backbone has {list(place.shape)}")


def _strides_in_3x3(backbone: nn.Module) -> bool:
    strides = {name: module.stride for name, module in backbone.named_modules() if isinstance(module, nn.Conv2d)}
    return strides.get("layer2.0.conv2", (1, 1)) != (1, 1)


def _layers(keys: Iterable[str]) -> str:
    """Tensors counted by their module: `conv1 1, bn1 4, layer1 60`."""
    counts = Counter(key.removeprefix("backbone.").split(".")[0] for key in keys)
    return ", ".join(f"{name} {count}" for name, count in counts.items())
