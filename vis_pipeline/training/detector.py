"""Training an mmdet detector on a YouTube-VIS split, through mmengine's Runner, from a config file.

The frames are read from the split as they lie: nothing is converted on disk. Weights go in and out through
:mod:`vis_pipeline.weights.files`, never through mmengine's loader, which would run code from a crafted file.
"""

import json
import logging
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmcv.transforms.base import BaseTransform
from mmdet.registry import DATASETS, TRANSFORMS
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner, find_latest_checkpoint
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from detectors.mmdet_config import class_count, read_config, register_mmdet, without_downloads
from vis_pipeline import masks
from vis_pipeline.data.youtube_vis import Annotation, read_split
from vis_pipeline.errors import ConfigError, DataError, WeightsError
from vis_pipeline.weights.files import load_strictly, read_checkpoint, read_state_dict, write_state_dict

WEIGHTS_NAME = "detector.safetensors"
LOSSES_NAME = "losses.jsonl"
_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeRemainingColumn(),
    TextColumn("{task.fields[loss]}"),
)


def train_detector(
    config: Path, work_dir: Path, resume: bool = False, cfg_options: Mapping[str, Any] | None = None
) -> Path:
    """Train as `config` says and return the path of the final weights, fp16 safetensors in `work_dir`.

    `work_dir` also gets checkpoints to resume from, the config as it was used, mmengine's log, and `losses.jsonl`
    (one JSON object a logged step). `init_weights` in the config names weights to start from; heads for other classes
    start afresh.

    Raises:
        ConfigError: a key is unknown or missing, or the loss is no longer finite (the step is named).
        DataError: the split cannot be read or has nothing to learn from.
        WeightsError: the initial weights are missing or do not fit, or there is nothing to resume from.
    """
    register_mmdet()
    settings = read_config(str(config), cfg_options)
    settings.model = without_downloads(settings.model)
    settings.work_dir = str(work_dir)
    settings.load_from = None
    settings.resume = resume
    if resume and find_latest_checkpoint(str(work_dir)) is None:
        raise WeightsError(f"{work_dir}: holds no checkpoint to resume from")
    runner = _Runner.from_cfg(settings)
    classes, heads = runner.train_dataloader.dataset.metainfo["classes"], class_count(settings.model)
    if heads not in (None, len(classes)):
        raise ConfigError(f"config {config}: the model has {heads} classes, the split {len(classes)} categories")
    initial = settings.get("init_weights")
    if initial and not resume:
        left = load_initial(runner.model, read_state_dict(Path(initial)), Path(initial))
        runner.logger.info("%s: %d keys do not fit and start afresh: %s", initial, len(left), ", ".join(left))
    with Progress(*_COLUMNS) as progress:
        runner.register_hook(_ProgressBar(progress))
        runner.train()
    final = Path(find_latest_checkpoint(str(work_dir)))
    export_weights(final, work_dir / WEIGHTS_NAME)
    return work_dir / WEIGHTS_NAME


def load_initial(model: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> list[str]:
    """Load what fits by name and shape, and return the keys of the model that it left as they were.

    The whole backbone must fit: heads differ with the classes, a backbone only by mistake.

    Raises:
        WeightsError: a key of the backbone is missing or has another shape.
    """
    expected = model.state_dict()
    fitting = {key: value for key, value in tensors.items() if key in expected and value.shape == expected[key].shape}
    left = [key for key in expected if key not in fitting and not key.endswith("num_batches_tracked")]
    misfit = next((key for key in left if key.startswith("backbone.")), None)
    if misfit is not None:
        found = list(tensors[misfit].shape) if misfit in tensors else "missing"
        raise WeightsError(f"weights {path}: {misfit} is {found}, the network has {list(expected[misfit].shape)}")
    model.load_state_dict({**expected, **fitting})
    return left


def export_weights(checkpoint: Path, destination: Path) -> None:
    """Write the network of one of our training checkpoints as fp16 safetensors, with its classes and provenance."""
    content = read_checkpoint(checkpoint)
    meta = content["meta"]
    metadata = {
        "architecture": "mmdet",
        "config": meta["experiment_name"].rsplit("_", 2)[0],
        "classes": list(meta["dataset_meta"]["classes"]),
        "training": {
            "iterations": meta["iter"],
            "seed": meta["seed"],
            "frames": meta["dataset_meta"]["frames"],
        },
    }
    write_state_dict(destination, content["state_dict"], metadata)


@DATASETS.register_module()
class YouTubeVisFrames(BaseDataset):  # type: ignore[misc]
    """The frames of a YouTube-VIS split as single images with instances; frames without a visible object are left out.

    Class index i is the i-th category of the split by id. Crowds are marked to be ignored. Boxes are the masks'
    Min-max boxes. Paths as in mmengine: `ann_file` and `data_prefix["img"]` under `data_root`.
    """

    def load_data_list(self) -> list[dict[str, Any]]:
        """One dict a frame, in the form that mmdet's transforms take."""
        split = read_split(Path(self.ann_file))
        if split.annotations is None:
            raise DataError(f"split {self.ann_file}: has no annotations to learn from")
        categories = sorted(split.categories, key=lambda category: category.id)
        labels = {category.id: index for index, category in enumerate(categories)}
        by_video: dict[int, list[Annotation]] = defaultdict(list)
        for annotation in split.annotations:
            by_video[annotation.video_id].append(annotation)
        folder = Path(self.data_prefix["img"])
        frames: list[dict[str, Any]] = []
        for video in split.videos:
            for index, name in enumerate(video.file_names):
                instances = _instances(by_video[video.id], index, labels)
                if instances:
                    frames.append(
                        {
                            "img_path": str(folder / name),
                            "img_id": len(frames),
                            "height": video.height,
                            "width": video.width,
                            "instances": instances,
                        }
                    )
        if not frames:
            raise DataError(f"split {self.ann_file}: no frame has an object to learn from")
        self._metainfo.update(classes=tuple(category.name for category in categories), frames=len(frames))
        return frames


def _instances(annotations: Sequence[Annotation], frame: int, labels: Mapping[int, int]) -> list[dict[str, Any]]:
    visible = [(entry, rle) for entry in annotations if (rle := entry.segmentations[frame]) is not None]
    boxes = masks.bounding_boxes([rle for _, rle in visible])
    return [
        {
            "bbox": [x, y, x + width, y + height],
            "bbox_label": labels[entry.category_id],
            "mask": rle,
            "ignore_flag": int(entry.iscrowd),
        }
        for (entry, rle), (x, y, width, height) in zip(visible, boxes.tolist(), strict=True)
        if width > 0 and height > 0
    ]


@TRANSFORMS.register_module()
class SemanticMapFromInstances(BaseTransform):  # type: ignore[misc]
    """Draw `gt_seg_map`, uint8 [H, W], from the instance masks: the class index there, `background` elsewhere."""

    def __init__(self, background: int) -> None:
        self.background = background

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add `gt_seg_map`; needs `gt_masks` and `gt_bboxes_labels`."""
        semantic = np.full(results["img"].shape[:2], self.background, dtype=np.uint8)
        for mask, label in zip(results["gt_masks"].masks, results["gt_bboxes_labels"], strict=True):
            semantic[mask > 0] = label
        results["gt_seg_map"] = semantic
        return results


@HOOKS.register_module()
class LossRecord(Hook):  # type: ignore[misc]
    """Append the mean losses of every `interval` steps to `losses.jsonl`, and stop when the loss is not finite."""

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self._sums: dict[str, float] = defaultdict(float)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        """Gather, check, and write every `interval` steps."""
        step = runner.iter + 1
        values = {name: torch.as_tensor(value).item() for name, value in (outputs or {}).items()}
        if not math.isfinite(values["loss"]):
            raise ConfigError(f"training: the loss is {values['loss']} at step {step}; lower the learning rate")
        for name, value in values.items():
            self._sums[name] += value / self.interval
        if step % self.interval == 0:
            line = {"step": step, "lr": runner.optim_wrapper.get_lr()["lr"][0]}
            line |= {name: round(value, 5) for name, value in self._sums.items()}
            with (Path(runner.work_dir) / LOSSES_NAME).open("a") as file:
                file.write(json.dumps(line) + "\n")
            self._sums.clear()


class _ProgressBar(Hook):  # type: ignore[misc]
    """Advances a bar over the steps and shows the loss."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def before_train(self, runner: Runner) -> None:
        self._bar = self._progress.add_task("training", total=runner.max_iters, completed=runner.iter, loss="")

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        loss = f"loss {torch.as_tensor((outputs or {})['loss']).item():.3f}"
        self._progress.update(self._bar, completed=runner.iter + 1, loss=loss)


class _Runner(Runner):  # type: ignore[misc]
    """mmengine's Runner with a quiet console, resuming through our loader: mmengine's runs code from its file."""

    def build_logger(self, *args: Any, **kwargs: Any) -> logging.Logger:
        logger: logging.Logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.setLevel(logging.ERROR)
        return logger

    def load_checkpoint(
        self, filename: str, map_location: str | Callable[..., Any] = "cpu", strict: bool = True, **_: Any
    ) -> Mapping[str, Any]:
        checkpoint = read_checkpoint(Path(filename))
        load_strictly(self.model, checkpoint["state_dict"], Path(filename))
        self._has_loaded = True
        # `config` would be run as Python.
        return {**checkpoint, "meta": {key: value for key, value in checkpoint["meta"].items() if key != "config"}}
