"""mmengine's Runner as this package drives it, and the one function that trains a detector."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

from detectors.mmdet_config import class_count, read_config, register_mmdet, without_downloads
from vis_pipeline.errors import ConfigError, DataError, WeightsError
from vis_pipeline.files.whole_files import remove_unfinished
from vis_pipeline.interrupt import telling
from vis_pipeline.terminal import Terminal
from vis_pipeline.training.detector.checkpoints import WEIGHTS_NAME, checkpoints, export_checkpoint
from vis_pipeline.training.detector.curves import CURVES_NAME, draw_curves
from vis_pipeline.training.detector.initialisation import start_backbone, start_from_detector
from vis_pipeline.training.detector.processes import alone, in_step, joined
from vis_pipeline.training.detector.record import LOSSES_NAME, VALIDATIONS_NAME
from vis_pipeline.training.detector.sampling import NETWORK, seed_from
from vis_pipeline.training.detector.settings import prepare
from vis_pipeline.training.json_lines import read_lines
from vis_pipeline.training.work_folder import how_far
from vis_pipeline.weights.files import load_strictly, read_checkpoint, state_tensors, write_whole
from vis_pipeline.weights.registry import resolve

_COLUMNS = (
    TextColumn("{task.description}", markup=False),
    BarColumn(),
    MofNCompleteColumn(),
    TimeRemainingColumn(),
    TextColumn("{task.fields[note]}", markup=False),
)


def train_detector(
    config: Path, work_dir: Path, resume: bool = False, cfg_options: Mapping[str, Any] | None = None
) -> Path:
    """Train as `config` says and return the path of the final weights, fp16 safetensors in `work_dir`.

    `work_dir` also gets checkpoints to resume from, the config as it was used, mmengine's log, `losses.jsonl` (one JSON
    object a logged step), `curves.png` and, where the config has a split to validate on, `validation.jsonl` and
    `best.safetensors`. Resuming repeats what the run would have done, to the bit on the CPU.

    Under `torchrun` all its processes train together, see :mod:`~vis_pipeline.training.detector.processes`.

    Raises:
        ConfigError: a key is unknown, missing or contradicted by another, `work_dir` holds a training and `resume` is
            off, or the loss is no longer finite (the step and its images are named).
        DataError: the split cannot be read or has nothing to learn from, or a record cannot be written.
        WeightsError: the initial weights are missing or do not fit, there is nothing to resume from, or a checkpoint
            cannot be written (earlier ones are kept).
    """
    try:
        with joined() as processes:
            settings = _settings(config, work_dir, resume, cfg_options or {})
            settings.launcher = "none" if processes == 1 else "pytorch"
            return _train(settings, config, work_dir)
    except OSError as error:
        raise DataError(f"training: {error.filename or work_dir}: {error.strerror or error}") from error


def _settings(config: Path, work_dir: Path, resume: bool, cfg_options: Mapping[str, Any]) -> Config:
    register_mmdet()
    settings = read_config(str(config), cfg_options)
    settings.model = without_downloads(settings.model)
    settings.work_dir = str(work_dir)
    prepare(settings, str(config), resume)
    earlier = checkpoints(work_dir)
    if resume and not earlier:
        raise WeightsError(f"{work_dir}: holds no checkpoint to resume from")
    if earlier and not resume:
        raise ConfigError(f"{work_dir}: holds a training; give --resume or another --work-dir")
    if is_main_process():
        remove_unfinished(work_dir)
    settings.resume, settings.load_from = resume, str(earlier[-1]) if earlier else None
    return settings


def _train(settings: Config, config: Path, work_dir: Path) -> Path:
    first = is_main_process()
    console = Terminal(stderr=True, soft_wrap=True, quiet=not first)
    with Progress(*_COLUMNS, console=console, disable=not first) as progress:
        runner = _Runner.from_cfg(settings)
        runner.announce = lambda text: progress.console.print(text, markup=False)
        _check_classes(runner, config)
        runner.register_hook(_StepSeed(), priority="VERY_HIGH")
        runner.register_hook(_ProgressBar(progress))
        try:
            with telling(partial(_how_far, runner, work_dir)):
                runner.train()
        except DataError as error:
            raise DataError(_without_traceback(str(error))) from error
    if first:
        losses, validations = read_lines(work_dir / LOSSES_NAME), read_lines(work_dir / VALIDATIONS_NAME)
        if losses or validations:
            draw_curves(losses, validations, work_dir / CURVES_NAME)
        export_checkpoint(checkpoints(work_dir)[-1], work_dir / WEIGHTS_NAME)
    return work_dir / WEIGHTS_NAME


def _how_far(runner: Runner, work_dir: Path) -> str:
    kept = checkpoints(work_dir)
    step = int(kept[-1].stem.removeprefix("iter_")) if kept else 0
    return how_far(step, runner.max_iters, kept[-1] if kept else work_dir)


def _without_traceback(text: str) -> str:
    """The message of a DataError; a loader's process sends its own as text, with the traceback before it."""
    return text.strip().splitlines()[-1].removeprefix(f"{DataError.__module__}.{DataError.__qualname__}: ")


def _check_classes(runner: Runner, config: Path) -> None:
    classes, heads = runner.train_dataloader.dataset.metainfo["classes"], class_count(runner.cfg.model)
    if heads not in (None, len(classes)):
        raise ConfigError(
            f"config {config}: the model has {heads} classes, the split {len(classes)} categories; "
            "set classes=None to take the split's"
        )
    if runner.val_loop is not None:
        others = runner.val_dataloader.dataset.metainfo["classes"]
        pairs = enumerate(zip_longest(classes, others))
        different = next((f"class {place}: {one}, {other}" for place, (one, other) in pairs if one != other), None)
        if different is not None:
            raise ConfigError(
                f"config {config}: the training and the validation split differ in their categories ({different})"
            )


class _StepSeed(Hook):  # type: ignore[misc]
    """Makes a step's random choices inside the network (proposals to learn from) depend on (seed, step) alone."""

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        seed_from(runner.seed, NETWORK, runner.iter)


class _ProgressBar(Hook):  # type: ignore[misc]
    """Advances one bar over the steps, and over the frames while validating; shows the loss and the last AP."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._score = ""

    def before_train(self, runner: Runner) -> None:
        self._bar = self._progress.add_task("training", total=runner.max_iters, completed=runner.iter, note="")

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        loss = f"loss {torch.as_tensor((outputs or {})['loss']).item():.3f}"
        self._progress.update(self._bar, completed=runner.iter + 1, note=f"{loss} {self._score}")

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        text = f"validating {batch_idx + 1}/{len(runner.val_dataloader)}"
        self._progress.update(self._bar, description=text)

    def after_val_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        name, value = next(iter((metrics or {"": 0.0}).items()))
        self._score = f"{name} {value:.3f} at {runner.iter}"
        self._progress.update(self._bar, description="training", note=self._score)


class _Runner(Runner):  # type: ignore[misc]
    """mmengine's Runner with a quiet console and safe files.

    Weights come in through our reader, since mmengine's runs code from its file; checkpoints are put in place only when
    they are whole.
    """

    announce: Callable[[str], None] = staticmethod(lambda text: None)

    def build_logger(self, *args: Any, **kwargs: Any) -> logging.Logger:
        logger: logging.Logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.setLevel(logging.ERROR)
        return logger

    def wrap_model(self, model_wrapper_cfg: Any, model: nn.Module) -> nn.Module:
        # mmengine's takes the launcher's number of the process for that of a card.
        wrapped: nn.Module = in_step(model) if self.distributed else super().wrap_model(model_wrapper_cfg, model)
        return wrapped

    def load_or_resume(self) -> None:
        # mmengine has just initialised the model; anything loaded earlier would be lost.
        super().load_or_resume()
        if self._resume:
            return
        report: Any = None
        if reference := self.cfg.get("init_weights"):
            classes = self.train_dataloader.dataset.metainfo["classes"]
            report = start_from_detector(alone(self.model), classes, resolve(str(reference)))
        elif reference := self.cfg.get("init_backbone"):
            report = start_backbone(alone(self.model), self.cfg.model.data_preprocessor, resolve(str(reference)))
        if report is not None:
            self.logger.info(report)
            self.announce(str(report))

    def load_checkpoint(
        self, filename: str, map_location: str | Callable[..., Any] = "cpu", strict: bool = True, **_: Any
    ) -> Mapping[str, Any]:
        checkpoint = read_checkpoint(Path(filename))
        self.call_hook("after_load_checkpoint", checkpoint=checkpoint)
        load_strictly(alone(self.model), state_tensors(checkpoint.get("state_dict"), Path(filename)), Path(filename))
        self._has_loaded = True
        meta = checkpoint.get("meta")
        if not isinstance(meta, Mapping):
            raise WeightsError(f"checkpoint {filename}: not one of a training (it has no `meta`)")
        # `config` would be run as Python.
        return {**checkpoint, "meta": {key: value for key, value in meta.items() if key != "config"}}

    def save_checkpoint(self, out_dir: str, filename: str, *args: Any, **kwargs: Any) -> None:
        if not is_main_process():
            return
        write = super().save_checkpoint
        try:
            write_whole(Path(out_dir) / filename, lambda partial: write(out_dir, partial.name, *args, **kwargs))
        except WeightsError as error:
            raise WeightsError(f"{error}; earlier checkpoints are kept, make room and go on with --resume") from error
