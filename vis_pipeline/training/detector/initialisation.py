"""Starting a detector from another one, class by class, or its backbone from weights that were learned on images."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdet.models.roi_heads.bbox_heads import BBoxHead
from mmdet.models.roi_heads.mask_heads import FCNMaskHead, FusedSemanticHead
from torch import Tensor, nn

from detectors.class_maps import COCO, counterparts
from detectors.lite_htc import EfficientNetLite0Backbone
from detectors.mmdet_network import checkpoint_classes
from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.files import is_counter, read_state_dict
from vis_pipeline.weights.imagenet import LoadReport, load_backbone
from vis_pipeline.weights.normalisation import Normalisation

_CLASS_LAYERS = ("fc_cls", "fc_reg", "conv_logits")
"""Layers whose shape the classes set: of boxes, of boxes by class, of masks and of the semantic branch."""


@dataclass(frozen=True)
class Initialisation:
    """What a detector took from a weight file.

    Attributes:
        source: the file.
        names: whose classes they are, `COCO` or the file's name.
        classes: class of the file that each class of the detector starts from, where there is one.
        fresh_classes: classes of the detector that start afresh.
        class_layers: layers whose rows were copied class by class.
        fresh: keys of the other tensors that start afresh: the file lacks them or has other classes there.
        unused: keys of the file that found no place.
    """

    source: Path
    names: str
    classes: Mapping[str, str]
    fresh_classes: tuple[str, ...]
    class_layers: tuple[str, ...]
    fresh: tuple[str, ...]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        """A few lines for people."""
        total = len(self.classes) + len(self.fresh_classes)
        pairs = ", ".join(f"{name} <- {source}" for name, source in self.classes.items())
        lines = [
            f"weights {self.source}: {len(self.classes)} of {total} classes start from {self.names}, "
            f"in {len(self.class_layers)} layers{': ' if pairs else ''}{pairs}"
        ]
        if self.fresh_classes:
            lines.append(f"{len(self.fresh_classes)} classes start afresh: {', '.join(self.fresh_classes)}")
        if self.fresh:
            lines.append(f"tensors that start afresh: {_counted(self.fresh)}")
        if self.unused:
            lines.append(f"tensors of the file that are not used: {_counted(self.unused)}")
        return "\n".join(lines)


def start_from_detector(model: nn.Module, classes: Sequence[str], path: Path) -> Initialisation:
    """Copy a detector's tensors into another one with `classes`, which has just been initialised.

    Layers with a row for each class get the rows of the classes that mean the same
    (:func:`~detectors.class_maps.counterparts`) and the background's, where they have one; everything else is copied by
    name and shape. The file names its classes; one that does not and has 80 has COCO's.

    Raises:
        WeightsError: the file cannot be read, lacks a key of the backbone, or a tensor of it has another shape where
            that does not come from other classes.
    """
    tensors = read_state_dict(path)
    layers = class_layers(model, len(classes))
    sources = checkpoint_classes(path) or _coco_if_eighty(tensors, layers)
    matches = counterparts(classes, sources)
    pairs = [(list(classes).index(name), list(sources).index(source)) for name, source in matches.items()]
    merged: dict[str, Tensor] = {}
    expected = model.state_dict()
    for key, value in expected.items():
        found = tensors.get(key)
        layer = key.rpartition(".")[0]
        if found is None:
            continue
        if layer not in layers:
            if found.shape == value.shape:
                merged[key] = found
        elif sources and found.shape == (len(sources) + layers[layer], *value.shape[1:]):
            merged[key] = _with_rows(value, found, pairs, layers[layer])
    fresh = tuple(key for key in expected if key not in merged and not is_counter(key))
    _require_fit(fresh, tensors, expected, path)
    model.load_state_dict(merged, strict=False)
    copied = tuple(layer for layer in layers if f"{layer}.weight" in merged)
    matches = matches if copied else {}
    return Initialisation(
        source=path,
        names="COCO" if set(sources) == set(COCO) else path.name,
        classes=matches,
        fresh_classes=tuple(name for name in classes if name not in matches),
        class_layers=copied,
        fresh=fresh,
        unused=tuple(key for key in tensors if key not in merged and not is_counter(key)),
    )


def start_backbone(model: Any, preprocessor: Mapping[str, Any], path: Path) -> LoadReport:
    """Load weights learned on images into the backbone of a model whose config has this `data_preprocessor`.

    An EfficientNet-Lite0 takes the published file of its kind, any other backbone a ResNet.

    Raises:
        WeightsError: the file cannot be read or does not fit the backbone.
    """
    images = Normalisation.of_preprocessor(preprocessor)
    if isinstance(model.backbone, EfficientNetLite0Backbone):
        return model.backbone.start_from(path, images)
    return load_backbone(model.backbone, path, images)


def class_layers(model: nn.Module, count: int) -> dict[str, int]:
    """Names of the layers with a row for each of `count` classes, and how many rows for the background come after."""
    layers: dict[str, int] = {}
    for name, module in model.named_modules():
        if isinstance(module, BBoxHead):
            layers[f"{name}.fc_cls"] = 1
        elif isinstance(module, FCNMaskHead) and not module.class_agnostic:
            layers[f"{name}.conv_logits"] = 0
        elif isinstance(module, FusedSemanticHead) and module.num_classes == count + 1:
            layers[f"{name}.conv_logits"] = 1
    return layers


def _coco_if_eighty(tensors: Mapping[str, Tensor], layers: Mapping[str, int]) -> Sequence[str]:
    rows = {
        len(tensors[f"{layer}.weight"]) - background
        for layer, background in layers.items()
        if layer.endswith("fc_cls") and f"{layer}.weight" in tensors
    }
    return COCO if rows == {len(COCO)} else ()


def _with_rows(value: Tensor, found: Tensor, pairs: Sequence[tuple[int, int]], background: int) -> Tensor:
    """`value` with rows of `found` at the given (to, from) places, and the background's at the end."""
    merged = value.clone()
    for to, source in pairs:
        merged[to] = found[source]
    if background:
        merged[-background:] = found[-background:]
    return merged


def _require_fit(
    fresh: Iterable[str], tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path
) -> None:
    """Nothing of the backbone starts afresh, and elsewhere no tensor that the file has but in layers of classes."""
    for key in fresh:
        found = list(tensors[key].shape) if key in tensors else "missing"
        by_class = key.split(".")[-2] in _CLASS_LAYERS
        if key.startswith("backbone.") or (key in tensors and not by_class):
            raise WeightsError(f"weights {path}: {key} is {found}, the network has {list(expected[key].shape)}")


def _counted(keys: Iterable[str]) -> str:
    """Tensors counted by their module: `neck 16, roi_head.mask_head 12`."""
    counts = Counter(".".join(key.split(".")[: 2 if key.startswith("roi_head.") else 1]) for key in keys)
    return ", ".join(f"{name} {count}" for name, count in counts.items())
