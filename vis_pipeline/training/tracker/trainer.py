"""The training loop of SiamMask."""

import dataclasses
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from vis_pipeline.config import load_config, parse
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.siammask.architectures import ARCHITECTURES, SEARCH_SIDE
from vis_pipeline.siammask.network import SiamMask
from vis_pipeline.training.tracker.checkpoint import load_checkpoint, save_checkpoint
from vis_pipeline.training.tracker.crops import PairBatch, PairCutter
from vis_pipeline.training.tracker.labels import search_anchors
from vis_pipeline.training.tracker.log import append_log, draw_curves, start_log
from vis_pipeline.training.tracker.norm import fix_statistics, follow_statistics, measure_statistics
from vis_pipeline.training.tracker.pairs import PairSampler
from vis_pipeline.training.tracker.schedule import learning_rate, norm_freeze_step, search_side
from vis_pipeline.training.tracker.settings import SourceSettings, TrackerTraining
from vis_pipeline.training.tracker.sources import FrameStore, read_training_set
from vis_pipeline.training.tracker.step import pair_losses, total_loss
from vis_pipeline.weights.files import write_state_dict

_BATCH_STREAM, _LABEL_STREAM, _STATISTICS_STREAM = range(3)


def train_tracker(config: str, work_dir: Path, resume: bool = False, options: Sequence[str] = ()) -> Path:
    """Train as a config says and return the weights' path.

    Writes into `work_dir`: `log.jsonl`, `checkpoint.pt`, `interim.safetensors` with each checkpoint, and at the end
    `tracker.safetensors` and `losses.png`.

    Raises:
        ConfigError: the config cannot be used, or `work_dir` holds a training and `resume` is off.
        DataError: the data cannot be used, or a loss is not finite.
    """
    settings = parse(TrackerTraining, load_config(config, options), f"config {config}")
    trainable = [name for name, architecture in ARCHITECTURES.items() if architecture.branches == 3]
    if settings.architecture not in trainable:
        valid = ", ".join(trainable)
        raise ConfigError(f"config {config}: cannot train the architecture '{settings.architecture}'; valid: {valid}")
    return TrackerTrainer(settings, work_dir).run(resume)


class TrackerTrainer:
    """One training in one work folder. Each step draws its pairs from (seed, step) alone, so resuming is exact."""

    def __init__(self, settings: TrackerTraining, work_dir: Path) -> None:
        self._settings = settings
        self._work_dir = work_dir
        self._log = work_dir / "log.jsonl"
        self._checkpoint = work_dir / "checkpoint.pt"
        self._device = torch.device(settings.device)
        torch.manual_seed(settings.seed)
        architecture = ARCHITECTURES[settings.architecture]
        self._network = SiamMask(architecture).to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._optimizer = torch.optim.AdamW(_parameter_groups(self._network, settings.schedule.weight_decay))
        data = read_training_set(settings.sources)
        self._sampler = PairSampler(data, settings.pairs, settings.augment)
        store = FrameStore(data.videos, settings.pairs.cache_gigabytes)
        self._cutter = PairCutter(data, store, settings.augment)

    def run(self, resume: bool) -> Path:
        """Train to the last step, from the start or from the last checkpoint."""
        first = self._start(resume)
        schedule = self._settings.schedule
        freeze = norm_freeze_step(schedule)
        follow_statistics(self._network)
        self._network.train()
        if first > freeze:
            fix_statistics(self._network)
        meter = _Meter(schedule.batch)
        with _progress() as progress:
            bar = progress.add_task("training", total=schedule.steps, completed=first, losses="")
            for step in range(first, schedule.steps):
                if step == freeze:
                    self._freeze_norm()
                meter.add(self._step(step))
                if (step + 1) % self._settings.log_every == 0 or step + 1 == schedule.steps:
                    line = meter.line(step, learning_rate(step, schedule))
                    append_log(self._log, line)
                    progress.update(
                        bar, losses=" ".join(f"{name} {value:.3f}" for name, value in line["losses"].items())
                    )
                if (step + 1) % self._settings.checkpoint_every == 0 or step + 1 == schedule.steps:
                    save_checkpoint(self._checkpoint, step + 1, self._network, self._optimizer)
                    self._export(self._work_dir / "interim.safetensors", step + 1)
                progress.advance(bar)
        draw_curves(self._log, self._work_dir / "losses.png")
        weights = self._work_dir / "tracker.safetensors"
        self._export(weights, schedule.steps)
        return weights

    def _start(self, resume: bool) -> int:
        """Prepare the work folder and return the first step."""
        try:
            self._work_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"work folder {self._work_dir}: cannot be made ({error.strerror})") from error
        if self._checkpoint.exists() and not resume:
            raise ConfigError(f"work folder {self._work_dir}: holds a training; give --resume or another --work-dir")
        first = 0
        if self._checkpoint.exists():
            first = load_checkpoint(self._checkpoint, self._network, self._optimizer)
        start_log(self._log, first)
        (self._work_dir / "config.json").write_text(json.dumps(self._record(), indent=1))
        return first

    def _step(self, step: int) -> dict[str, float]:
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(step, self._settings.schedule)
        found = self._losses(self._batch(_BATCH_STREAM, step, search_side(step, self._settings.schedule)), step)
        loss = total_loss(found, self._settings.losses)
        if not math.isfinite(loss.item()):
            values = ", ".join(f"{name} {value.item():g}" for name, value in found.items())
            raise DataError(f"training step {step}: the loss is not finite ({values}); lower schedule.learning_rate")
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self._network.parameters(), self._settings.schedule.clip)
        self._optimizer.step()
        return {"total": loss.item(), **{name: value.item() for name, value in found.items()}}

    def _losses(self, batch: PairBatch, step: int) -> dict[str, Tensor]:
        seeds = np.random.SeedSequence((self._settings.seed, _LABEL_STREAM, step))
        generator = torch.Generator(self._device).manual_seed(int(seeds.generate_state(1)[0]))
        half = self._settings.precision == "bfloat16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            return pair_losses(
                self._network,
                batch,
                search_anchors(batch.searches.shape[-1]).to(self._device),
                self._settings.labels,
                generator,
            )

    def _batch(self, stream: int, number: int, side: int) -> PairBatch:
        rng = np.random.default_rng((self._settings.seed, stream, number))
        pairs = [self._sampler.draw(rng, side) for _ in range(self._settings.schedule.batch)]
        return self._cutter.batch(pairs, rng).to(self._device)

    def _freeze_norm(self) -> None:
        """Measure the statistics on crops as prediction cuts them, whatever the training's crops have been so far."""
        measure_statistics(
            self._network,
            lambda number: self._losses(self._batch(_STATISTICS_STREAM, number, SEARCH_SIDE), 0),
            self._settings.schedule.norm_batches,
        )
        fix_statistics(self._network)

    def _export(self, path: Path, step: int) -> None:
        training = {**self._record(), "step": step, "sources": [_provenance(entry) for entry in self._settings.sources]}
        metadata = {"architecture": self._settings.architecture, "training": training}
        written = path.with_suffix(".partial")
        write_state_dict(written, self._network.state_dict(), metadata)
        written.replace(path)

    def _record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self._settings), default=str))
        return record


class _Meter:
    """Means of the losses since the last logged line."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._values: list[dict[str, float]] = []
        self._since = time.perf_counter()

    def add(self, values: dict[str, float]) -> None:
        self._values.append(values)

    def line(self, step: int, rate: float) -> dict[str, Any]:
        now = time.perf_counter()
        losses = {name: float(np.mean([entry[name] for entry in self._values])) for name in self._values[-1]}
        speed = len(self._values) * self._batch / (now - self._since)
        self._values, self._since = [], now
        return {"step": step, "learning_rate": rate, "pairs_per_second": round(speed, 2), "losses": losses}


def _provenance(source: SourceSettings) -> dict[str, Any]:
    """A source as weights name it: the split's folder and file, not where on the training machine they lay."""
    return {"split": "/".join(source.split.parts[-2:]), "weight": source.weight}


def _parameter_groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for kernels only, not for biases and batch norms."""
    parameters = list(network.parameters())
    return [
        {"params": [value for value in parameters if value.ndim > 1], "weight_decay": decay},
        {"params": [value for value in parameters if value.ndim <= 1], "weight_decay": 0.0},
    ]


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, TextColumn("{task.fields[losses]}"))
