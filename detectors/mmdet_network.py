"""mmdet models with their weights, and what goes into them: a batch of frames, fitted and normalised."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import DATASETS, MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from torch import Tensor, nn

from detectors.mmdet_config import class_count, find, read_config, register_mmdet, set_classes, without_downloads
from vis_pipeline.errors import ConfigError, WeightsError
from vis_pipeline.structures.frames import Frame
from vis_pipeline.weights.files import load_strictly, misfit, read_checkpoint, read_metadata, read_state_dict
from vis_pipeline.weights.misfits import other_config, require_detector

# A head has weights for each, which are made before a checkpoint is looked at; the largest data set has 1,203.
_MOST_CLASSES = 10_000
_GEOMETRY_FREE = {"LoadFrame", "LoadImageFromFile", "LoadImageFromNDArray", "LoadAnnotations", "PackDetInputs"}


def class_names(config: str, checkpoint: Path) -> tuple[str, ...]:
    """The names of a model's classes in the order of its outputs: from the checkpoint, else from the config.

    Raises:
        ConfigError: neither names them.
        WeightsError: the checkpoint cannot be read, or names others than the config has.
    """
    register_mmdet()
    settings = model_settings(config, checkpoint)
    count = class_count(settings.model)
    if stated := checkpoint_classes(checkpoint):
        if count not in (None, len(stated)):
            raise other_config(config, checkpoint, f"they name {len(stated)} classes, it has {count}")
        return tuple(stated)
    dataset = find(settings.get("test_dataloader"), "dataset") or find(settings.get("train_dataloader"), "dataset")
    registered = DATASETS.get(dataset["type"]) if dataset and isinstance(dataset.get("type"), str) else None
    named = (
        settings.get("classes")
        or find(find(dataset, "metainfo"), "classes")
        or getattr(registered, "METAINFO", {}).get("classes")
    )
    if not named or count not in (None, len(named)):
        require_detector(read_state_dict(checkpoint), checkpoint)
        found = f"{len(named)} class names for {count} classes" if named else "no class names"
        raise ConfigError(f"config {config}: {found} in it, none in {checkpoint}; set `classes` in the config")
    return tuple(named)


def checkpoint_classes(checkpoint: Path) -> Sequence[str] | None:
    """The class names that a weight file states, in the order of the model's outputs; None where it states none.

    Raises:
        WeightsError: the file cannot be read.
    """
    if checkpoint.suffix == ".safetensors":
        read_state_dict(checkpoint)
        stated = [read_metadata(checkpoint).get("classes")]
    else:
        meta = read_checkpoint(checkpoint).get("meta")
        dataset = find(meta, "dataset_meta")
        stated = [find(dataset, "classes"), find(dataset, "CLASSES"), find(meta, "CLASSES")]
    return next((_names(names, checkpoint) for names in stated if names is not None), None)


def _names(stated: Any, checkpoint: Path) -> tuple[str, ...]:
    sound = isinstance(stated, list | tuple) and all(isinstance(name, str) for name in stated)
    if not sound or len(stated) > _MOST_CLASSES:
        raise WeightsError(
            f"weights {checkpoint}: its class names are no list of at most {_MOST_CLASSES:,} names; it is damaged"
        )
    return tuple(stated)


def model_settings(config: str, checkpoint: Path) -> Config:
    """The config with the heads of its `classes`; where it leaves them open, as for fine-tuning, the checkpoint's."""
    settings = read_config(config)
    if "classes" in settings and (names := settings.classes or checkpoint_classes(checkpoint)):
        set_classes(settings, names)
    return settings


def build_model(settings: Config, config: str, checkpoint: Path) -> nn.Module:
    """The model of a config with the weights of a checkpoint.

    Raises:
        ConfigError: mmdet cannot build it.
        WeightsError: the weights cannot be read, or do not fit it.
    """
    register_mmdet()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model: nn.Module = MODELS.build(without_downloads(settings.model))
    except (KeyError, TypeError, AssertionError, AttributeError) as error:
        raise ConfigError(f"config {config}: mmdet cannot build the model ({error})") from error
    tensors = read_state_dict(checkpoint)
    if fault := misfit(model, tensors):
        require_detector(tensors, checkpoint)
        raise other_config(config, checkpoint, fault)
    load_strictly(model, tensors, checkpoint)
    return model


def test_pipeline(settings: Config) -> list[Any]:
    """The steps that a config prepares a picture in, the reading of its file among them; none where it names none."""
    pipeline = find(find(settings.get("test_dataloader"), "dataset"), "pipeline") or settings.get("test_pipeline")
    return list(pipeline or ())


def frame_scale(settings: Config, config: str) -> tuple[int, int] | None:
    """(long, short) side in pixels that frames are fitted into, keeping their shape; None keeps their size."""
    scale: tuple[int, int] | None = None
    for transform in test_pipeline(settings):
        kind = str(transform["type"]).rsplit(".", 1)[-1]
        if kind == "Resize" and transform.get("keep_ratio") and "scale" in transform:
            scale = (max(transform["scale"]), min(transform["scale"]))
        elif kind not in _GEOMETRY_FREE:
            raise ConfigError(f"config {config}: test pipeline step {dict(transform)} is not supported")
    return scale


def model_inputs(
    model: Any, frames: Sequence[Frame], scale: tuple[int, int] | None, device: torch.device
) -> tuple[Tensor, list[DetDataSample]]:
    """What a model predicts from: frames of one size, fitted into `scale` and normalised, float32 [B, 3, h, w]."""
    images = torch.stack([frame.on(device) for frame in frames])
    inputs = resized(images.permute(0, 3, 1, 2), scale)
    size, original = (inputs.shape[2], inputs.shape[3]), (images.shape[1], images.shape[2])
    samples = [data_sample(original, size) for _ in frames]
    batch = model.data_preprocessor({"inputs": inputs, "data_samples": samples}, training=False)
    return batch["inputs"], batch["data_samples"]


def resized(images: Tensor, scale: tuple[int, int] | None) -> Tensor:
    """Fit uint8 [B, 3, H, W] into `scale` as mmcv's `imrescale` does, whole pixel values, [B, 3, h, w]."""
    if scale is None:
        return images
    height, width = images.shape[2:]
    factor = min(scale[0] / max(height, width), scale[1] / min(height, width))
    # A frame of 3000x4 would come out without a row.
    size = (max(1, int(height * factor + 0.5)), max(1, int(width * factor + 0.5)))
    if size == (height, width):
        return images
    resized = nn.functional.interpolate(images.float(), size=size, mode="bilinear", align_corners=False)
    return resized.round_().clamp_(0, 255)


def data_sample(original: tuple[int, int], resized: tuple[int, int]) -> DetDataSample:
    """What mmdet is told of a frame: height and width before and after it was fitted."""
    return DetDataSample(
        metainfo={
            "ori_shape": original,
            "img_shape": resized,
            "scale_factor": (resized[1] / original[1], resized[0] / original[0]),
        }
    )
