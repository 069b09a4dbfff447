"""The training loop of SiamMask, in a work folder."""

import json
import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from rich.progress import Progress, TaskID

from vis_pipeline.errors import ConfigError
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.interrupt import telling
from vis_pipeline.settings.config import load_config, parse
from vis_pipeline.settings.device import torch_device
from vis_pipeline.terminal import Terminal
from vis_pipeline.trackers.siammask.checkpoint import load_siammask, save_official, save_siammask
from vis_pipeline.training.checkpoint import load_checkpoint, save_checkpoint
from vis_pipeline.training.log import Meter, TrainingLog, draw_curves
from vis_pipeline.training.not_finite import not_finite
from vis_pipeline.training.tracker.ahead import made_ahead
from vis_pipeline.training.tracker.crops import PairBatch
from vis_pipeline.training.tracker.feed import PairFeed
from vis_pipeline.training.tracker.learner import Learner, Outcome
from vis_pipeline.training.tracker.pairs import Pair
from vis_pipeline.training.tracker.schedule import learning_rate, search_side
from vis_pipeline.training.tracker.settings import TrackerTraining
from vis_pipeline.training.tracker.source_settings import SourceSettings, annotation_path
from vis_pipeline.training.tracker.start import start_from
from vis_pipeline.training.work_folder import how_far, open_work_folder, plain_settings, progress_bars, record_settings

_BATCH_STREAM, _STATISTICS_STREAM = 0, 2
_NAMED_PAIRS = 4
"""So many pairs of a batch are named in an error; a file has them all."""


def train_tracker(
    config: str,
    work_dir: Path,
    resume: bool = False,
    options: Sequence[str] = (),
    tensorboard: bool = False,
    official_keys: Path | None = None,
) -> Path:
    """Train as a config says and return the weights' path.

    Writes into `work_dir`: `config.json`, `log.jsonl`, `checkpoint.pt` and with it `interim.safetensors`, and at the
    end `tracker.safetensors` and `losses.png`; with `tensorboard` a folder `tensorboard`; the weights in the official
    release's form as `official_keys`.

    Raises:
        ConfigError: the config cannot be used, `work_dir` holds a training and `resume` is off, or a loss is no longer
            finite (the step and its pairs are named).
        DataError: the data cannot be used, or a file cannot be written.
        WeightsError: weights to start from cannot be used, or weights cannot be written.
    """
    settings = parse(TrackerTraining, load_config(config, options), f"config {config}")
    if official_keys is not None and not official_keys.parent.is_dir():
        raise ConfigError(f"--official-keys {official_keys}: there is no such folder")
    trainer = TrackerTrainer(settings, work_dir)
    weights = trainer.run(resume, tensorboard)
    if official_keys is not None:
        # From the file that was written, so that both give the same numbers.
        save_official(official_keys, load_siammask(weights))
    return weights


@dataclass(frozen=True)
class _Pending:
    """A step that the device may still be working at, and what it is told by if it fails."""

    step: int
    outcome: Outcome
    pairs: tuple[Pair, ...]


class TrackerTrainer:
    """One training in one work folder. Each step draws its pairs from (seed, step) alone, so resuming is exact."""

    def __init__(self, settings: TrackerTraining, work_dir: Path) -> None:
        self._settings = settings
        self._work_dir = work_dir
        self._checkpoint = work_dir / "checkpoint.pt"
        self._device = torch_device(settings.device, "device")
        self._learner = Learner(settings, self._device)
        self._feed = PairFeed(settings, self._device)
        self._meter = Meter(settings.schedule.batch)
        self._pending: _Pending | None = None
        self._kept = 0

    def run(self, resume: bool, tensorboard: bool = False) -> Path:
        """Train to the last step, from the start or from the last checkpoint."""
        self._kept = first = self._start(resume)
        path = self._work_dir / "log.jsonl"
        log = TrainingLog(path, first, self._work_dir / "tensorboard" if tensorboard else None)
        try:
            with telling(self._how_far), progress_bars() as progress:
                bar = progress.add_task("training", total=self._settings.schedule.steps, completed=first, state="")
                self._train(first, log, progress, bar)
        finally:
            log.close()
        draw_curves(path, self._work_dir / "losses.png")
        weights = self._work_dir / "tracker.safetensors"
        self._export(weights, self._settings.schedule.steps)
        return weights

    def _train(self, first: int, log: TrainingLog, progress: Progress, bar: TaskID) -> None:
        settings, steps = self._settings, range(first, self._settings.schedule.steps)
        # The next batch is drawn and cut while the network is still at the last one.
        with closing(made_ahead(self._training_batch, steps, settings.pairs.ahead)) as batches:
            for step, (batch, pairs) in zip(steps, batches, strict=True):
                self._settle()
                self._step(step, batch, pairs)
                last = step + 1 == steps.stop
                if last or (step + 1) % settings.log_every == 0:
                    self._settle()
                    line = self._meter.line(step, learning_rate(step, settings.schedule))
                    log.append(line)
                    progress.update(
                        bar, state=f"{line['pairs_per_second']:.1f} pairs/s, loss {line['losses']['total']:.3f}"
                    )
                if last or (step + 1) % settings.checkpoint_every == 0:
                    self._settle()
                    save_checkpoint(self._checkpoint, step + 1, self._learner.state)
                    self._kept = step + 1
                    self._export(self._work_dir / "interim.safetensors", step + 1)
                progress.advance(bar)

    def _how_far(self) -> str:
        return how_far(self._kept, self._settings.schedule.steps, self._checkpoint)

    def _training_batch(self, step: int) -> tuple[PairBatch, tuple[Pair, ...]]:
        return self._feed.draw(_BATCH_STREAM, step, search_side(step, self._settings.schedule))

    def _step(self, step: int, batch: PairBatch, pairs: tuple[Pair, ...]) -> None:
        self._learner.enter(step, self._statistics_batch)
        self._pending = _Pending(step, self._learner.learn(step, batch), pairs)

    def _settle(self) -> None:
        """Wait for the last step and count it.

        Raises:
            ConfigError: its loss or gradient is not finite.
            DataError: the list of its pairs cannot be written.
        """
        pending, self._pending = self._pending, None
        if pending is None:
            return
        total, *losses, gradient = pending.outcome.values.tolist()
        found = dict(zip(pending.outcome.names, losses, strict=True))
        if not all(map(math.isfinite, (total, gradient))):
            what = "gradient" if math.isfinite(total) else "loss"
            raise self._not_finite(pending, what, {**found, "gradient": gradient})
        self._meter.add({"total": total, **found}, gradient)

    def _not_finite(self, pending: _Pending, what: str, values: dict[str, float]) -> ConfigError:
        sources = self._feed.names(pending.pairs)
        path = self._work_dir / "not_finite.json"
        # As texts: JSON has no numbers that are not finite.
        numbers = {name: f"{value:g}" for name, value in values.items()}
        write_text(path, json.dumps({"step": pending.step, "values": numbers, "pairs": sources}, indent=1))
        named = "; ".join(sources[:_NAMED_PAIRS])
        more = f" and {len(sources) - _NAMED_PAIRS} more in {path}" if len(sources) > _NAMED_PAIRS else ""
        return not_finite(
            pending.step, what, values, "lower schedule.learning_rate and go on with --resume", f"{named}{more}"
        )

    def _statistics_batch(self, number: int) -> PairBatch:
        """Batches of crops as the end of the training has them, whatever they have been so far."""
        return self._feed.draw(_STATISTICS_STREAM, number, self._settings.schedule.search_sides[-1][1])[0]

    def _start(self, resume: bool) -> int:
        """Prepare the work folder and the network, and return the first step."""
        open_work_folder(self._work_dir, self._checkpoint, resume)
        first = 0
        if self._checkpoint.exists():
            first = load_checkpoint(self._checkpoint, self._learner.state)
        elif self._settings.init is not None:
            report = start_from(self._learner.network, self._settings.init)
            Terminal(soft_wrap=True).print(str(report), markup=False)
        record_settings(self._work_dir, self._settings, resumed=first > 0)
        return first

    def _export(self, path: Path, step: int) -> None:
        """Write the weights with what they were trained by, without where on this machine it lay."""
        settings = self._settings
        training = {
            **plain_settings(settings),
            "step": step,
            "sources": [_provenance(entry) for entry in settings.sources],
        }
        if settings.init is not None:
            training["init"] = {"type": settings.init.type, "path": PurePath(settings.init.path).name}
        save_siammask(path, self._learner.network, {"training": training})


def _provenance(source: SourceSettings) -> dict[str, Any]:
    """A source as weights name it: the last two parts of its path, and its weight."""
    path = annotation_path(source)
    return {"type": source.type, "split": "/".join(path.parts[-2:]), "weight": source.weight}
