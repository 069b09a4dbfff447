"""The record of a training: losses and validations as JSON lines, cut back to where a resumed run starts."""

import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process, master_only
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from vis_pipeline.errors import ConfigError
from vis_pipeline.training.detector.checkpoints import export
from vis_pipeline.training.detector.processes import alone
from vis_pipeline.training.json_lines import append_line, keep_before, read_lines
from vis_pipeline.training.not_finite import not_finite

LOSSES_NAME = "losses.jsonl"
VALIDATIONS_NAME = "validation.jsonl"
BEST_NAME = "best.safetensors"


@HOOKS.register_module()
class LossRecord(Hook):  # type: ignore[misc]
    """Append the mean losses of every `interval` steps to `losses.jsonl`, and stop when the loss is not finite."""

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self._sums: dict[str, float] = defaultdict(float)
        self._steps = 0

    @master_only  # type: ignore[untyped-decorator]
    def before_train(self, runner: Runner) -> None:
        """Forget what an earlier run recorded after the step that this one starts from."""
        keep_before(Path(runner.work_dir) / LOSSES_NAME, runner.iter + 1)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        """Gather, check, and write every `interval` steps.

        Raises:
            ConfigError: the loss is not finite; the step and the images are named.
        """
        step = runner.iter + 1
        names = list(outputs or {})
        values = torch.stack([torch.as_tensor((outputs or {})[name]).float() for name in names]).tolist()
        found = dict(zip(names, values, strict=True))
        if not math.isfinite(found["loss"]):
            raise _not_finite(found, step, data_batch)
        self._steps += 1
        for name, value in found.items():
            self._sums[name] += value
        if step % self.interval == 0 and is_main_process():
            line = {"step": step, "lr": runner.optim_wrapper.get_lr()["lr"][0]}
            line |= {name: round(total / self._steps, 5) for name, total in self._sums.items()}
            append_line(Path(runner.work_dir) / LOSSES_NAME, line)
            self._sums.clear()
            self._steps = 0


def _not_finite(losses: Mapping[str, float], step: int, data_batch: Any) -> ConfigError:
    values = {name: value for name, value in losses.items() if not math.isfinite(value)}
    images = [sample.img_path for sample in (data_batch or {}).get("data_samples", ())]
    # Going on with --resume would be with the old rate, which is part of a checkpoint.
    return not_finite(step, "loss", values, "lower optim_wrapper.optimizer.lr", ", ".join(images))


@HOOKS.register_module()
class ValidationRecord(Hook):  # type: ignore[misc]
    """Append each validation's figures to `validation.jsonl`, and keep the best weights as `best.safetensors`.

    `save_best` is the figure whose largest value is the best.
    """

    priority = "LOW"

    def __init__(self, save_best: str) -> None:
        self._save_best = save_best

    def before_train(self, runner: Runner) -> None:
        """Forget later validations of an earlier run, and make up for the one during which it was killed."""
        path = Path(runner.work_dir) / VALIDATIONS_NAME
        if is_main_process():
            keep_before(path, runner.iter + 1)
        if runner.iter > 0 and _is_due(runner) and runner.iter not in {line["step"] for line in read_lines(path)}:
            runner.val_loop.run()

    @master_only  # type: ignore[untyped-decorator]
    def after_val_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        """Export the weights if they are the best so far, and write the figures.

        Raises:
            ConfigError: `save_best` is none of the figures.
        """
        figures = dict(metrics or {})
        if self._save_best not in figures:
            raise ConfigError(f"ValidationRecord: save_best={self._save_best!r} is none of {', '.join(figures)}")
        path = Path(runner.work_dir) / VALIDATIONS_NAME
        value = figures[self._save_best]
        if all(value > line[self._save_best] for line in read_lines(path) if self._save_best in line):
            meta = {
                "experiment_name": runner.experiment_name,
                "iter": runner.iter,
                "seed": runner.seed,
                "dataset_meta": runner.train_dataloader.dataset.metainfo,
            }
            export(alone(runner.model).state_dict(), meta, Path(runner.work_dir) / BEST_NAME, figures)
        append_line(path, {"step": runner.iter, **figures})


def _is_due(runner: Runner) -> bool:
    loop = runner.train_loop
    return runner.val_loop is not None and (runner.iter % loop.val_interval == 0 or runner.iter == loop.max_iters)
