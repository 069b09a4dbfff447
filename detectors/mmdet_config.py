"""mmdet's config files and registries: ours by path or packaged name, mmdet's own by `mmdet::folder/name.py`."""

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.config import find_config, read_config_file
from vis_pipeline.settings.misspelt import did_you_mean


def read_config(reference: str, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config and set `options`, keys with dots for depth (`model.test_cfg.rcnn.score_thr`).

    Raises:
        ConfigError: there is no such file, it does not run, has no `model`, or an option names a key that it lacks.
    """
    if reference.startswith("mmdet::"):
        path = _mmdet_file(reference)
        config = read_config_file(path, reference, packaged=path.parent)
    else:
        config = read_config_file(find_config(reference), reference)
    if "model" not in config:
        raise ConfigError(f"config {reference}: has no `model`; a detector's config is needed")
    for key in options or {}:
        _require_key(config, key, reference)
    try:
        config.merge_from_dict(dict(options or {}))
    except (TypeError, KeyError) as error:
        keys = " ".join(options or {})
        raise ConfigError(f"config {reference}: --cfg-options {keys}: a key lies below a plain value") from error
    return config


def register_mmdet() -> None:
    """Fill mmdet's registries with its parts and ours, without its remarks on optional packages and on its own code."""
    from mmdet.utils import register_all_modules

    for remark in ("To copy construct from a tensor", "Default ``avg_non_ignore`` is False"):
        warnings.filterwarnings("ignore", message=remark, module=r"mmdet\.")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        register_all_modules(init_default_scope=True)
        import_module("detectors.lite_htc")
    # What no registry has, mmengine imports by its name: `type="os.system"` would be run.
    vars(import_module("mmengine.registry.registry"))["get_object_from_string"] = _nothing


def _nothing(name: str) -> None:
    """What a name stands for that is in no registry."""


def without_downloads(model: Mapping[str, Any]) -> ConfigDict:
    """A model config in which no `init_cfg` names a checkpoint: weights come through our loader only."""
    return ConfigDict(_without_downloads(model))


def class_count(model: Mapping[str, Any]) -> int | None:
    """`num_classes` of the last box head, or of a one-stage head; None where the config does not say."""
    head = find(find(model, "roi_head"), "bbox_head") or find(model, "mask_head") or find(model, "bbox_head")
    count: int | None = find(head[-1] if isinstance(head, list | tuple) else head, "num_classes")
    return count


def set_classes(settings: Config, names: Sequence[str]) -> None:
    """Give a detector's config these classes: its heads, and the semantic map that it may learn from."""
    count, before = len(names), class_count(settings.model)
    settings.classes, settings.num_classes = list(names), count
    # One-stage networks have their heads beside the backbone.
    head = find(settings.model, "roi_head") or settings.model
    for part in (find(head, "bbox_head"), find(head, "mask_head")):
        for stage in part if isinstance(part, list) else [part] if part else []:
            stage.num_classes = count
    semantic = head.get("semantic_head")
    if semantic is not None and semantic.num_classes == (before or 0) + 1:
        semantic.num_classes = count + 1
    dataset = find(settings.get("train_dataloader"), "dataset")
    for part in (dataset, *(find(dataset, "splits") or ())):
        for step in find(part, "pipeline") or ():
            if step.type == "SemanticMapFromInstances":
                step.background = count


def find(mapping: Any, key: str) -> Any:
    """The entry of a mapping that may lack it, or may be missing itself; None then."""
    return mapping.get(key) if isinstance(mapping, Mapping) else None


def _without_downloads(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: None if key == "init_cfg" and "checkpoint" in (item or {}) else _without_downloads(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_without_downloads(item) for item in value)
    return value


def _mmdet_file(reference: str) -> Path:
    import mmdet

    folder = Path(mmdet.__file__).parent / ".mim" / "configs"
    path = folder / reference.removeprefix("mmdet::")
    if not path.is_file():
        names = [f"mmdet::{file.relative_to(folder).as_posix()}" for file in folder.glob("*/*.py")]
        raise ConfigError(f"config {reference}: mmdet packages no such config{did_you_mean(reference, names)}")
    return path


def _require_key(config: Config, key: str, reference: str) -> None:
    node: Any = config
    parts = key.split(".")
    for depth, part in enumerate(parts):
        inside: Mapping[str, Any] = (
            {str(index): item for index, item in enumerate(node)} if isinstance(node, list | tuple) else node
        )
        names = list(inside.keys()) if hasattr(inside, "keys") else []
        if part not in names:
            raise ConfigError(
                f"config {reference}: has no key {'.'.join(parts[: depth + 1])}{did_you_mean(part, names)}"
            )
        node = inside[part]
