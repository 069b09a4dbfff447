"""Our keys of a detector's training config, turned into what mmengine and mmdet understand.

`classes` None: those of the split, for all heads. `init_weights`: a detector to start from; `init_backbone`: weights
that were learned on images. `amp`: float16 on CUDA. `tensorboard`: its logs. A `val_dataloader` without `data_root` is
off.
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import torch
from mmengine.config import Config

from detectors.mmdet_config import find, set_classes
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import ConfigError
from vis_pipeline.training.detector.frames import annotation_file, class_names


def prepare(settings: Config, name: str, resume: bool) -> None:
    """Change `settings` in place; `name` is the config's in errors.

    Raises:
        ConfigError: keys contradict each other or ask for what this machine or installation lacks.
        DataError: the split, whose classes are asked for, cannot be read.
    """
    if find(settings.get("train_cfg"), "type") != "IterBasedTrainLoop":
        raise ConfigError(f"config {name}: train_cfg.type must be IterBasedTrainLoop")
    settings.randomness = {"seed": 0, **(settings.get("randomness") or {})}
    _check_start(settings, name, resume)
    if "classes" in settings:
        set_classes(settings, settings.classes or _classes_of_data(settings))
    _set_validation(settings)
    if settings.get("amp"):
        _use_half_precision(settings, name)
    if settings.get("tensorboard"):
        _add_tensorboard(settings, name)


def _check_start(settings: Config, name: str, resume: bool) -> None:
    weights, backbone = settings.get("init_weights"), settings.get("init_backbone")
    if weights and backbone:
        raise ConfigError(f"config {name}: init_weights holds a backbone already; leave out init_backbone")
    frozen = find(settings.model.get("backbone"), "frozen_stages")
    if frozen is not None and frozen >= 0 and not (weights or backbone or resume):
        raise ConfigError(
            f"config {name}: model.backbone.frozen_stages={frozen} would freeze random layers; "
            "give init_weights or init_backbone, or frozen_stages=-1 and norm_eval=False"
        )


def _classes_of_data(settings: Config) -> Sequence[str]:
    dataset: Mapping[str, Any] = settings.train_dataloader.dataset
    own: list[Mapping[str, Any]] = dataset.get("splits") or [{}]
    splits = [{**dataset, **split} for split in own]
    return class_names([read_split(annotation_file(split)).categories for split in splits])


def _set_validation(settings: Config) -> None:
    dataset = find(settings.get("val_dataloader"), "dataset")
    if not find(dataset, "data_root"):
        settings.val_dataloader = settings.val_evaluator = settings.val_cfg = None


def _use_half_precision(settings: Config, name: str) -> None:
    if not torch.cuda.is_available():
        raise ConfigError(f"config {name}: amp needs CUDA, and this machine has none; leave it out")
    # mmcv's RoIAlign and deformable convolutions know float16, but not bfloat16.
    settings.optim_wrapper.update(type="AmpOptimWrapper", dtype="float16", loss_scale="dynamic")


def _add_tensorboard(settings: Config, name: str) -> None:
    if find_spec("tensorboard") is None:
        raise ConfigError(
            f"config {name}: tensorboard=True needs the package tensorboard; run `pip install tensorboard` or "
            "`pip install vis_pipeline[tensorboard]`"
        )
    backends: list[Mapping[str, Any]] = list(settings.visualizer.get("vis_backends") or ())
    settings.visualizer.vis_backends = [*backends, {"type": "TensorboardVisBackend"}]
    logger = find(settings.get("default_hooks"), "logger")
    if logger:
        # Validations would be shown at their epoch, of which there are none here: all at 0.
        logger["log_metric_by_epoch"] = False
