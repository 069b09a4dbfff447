"""The training loop of the re-detection head, in a work folder."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor, nn

from detectors.mmdet_regions import MmdetRegions, PyramidRegions
from vis_pipeline.errors import ConfigError
from vis_pipeline.interrupt import telling
from vis_pipeline.settings.config import load_config, parse
from vis_pipeline.settings.device import torch_device
from vis_pipeline.trackers.siam_rcnn.checkpoint import save_redetector
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector, RedetectorArchitecture
from vis_pipeline.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from vis_pipeline.training.log import Meter, TrainingLog, draw_curves
from vis_pipeline.training.not_finite import not_finite
from vis_pipeline.training.rates import warm_cosine
from vis_pipeline.training.redetector.extraction import FeatureStore
from vis_pipeline.training.redetector.losses import HardExamples, cascade_losses, hard_example_losses
from vis_pipeline.training.redetector.mining import HardExampleMiner, ObjectFeatures, embed, trained_embedding
from vis_pipeline.training.redetector.pairs import ObjectTable, Pair, PairSampler, object_table
from vis_pipeline.training.redetector.settings import RedetectorTraining
from vis_pipeline.training.redetector.start import discriminant_directions
from vis_pipeline.training.redetector.store import TRUE, VideoFeatures
from vis_pipeline.training.tracker.source_settings import annotation_path
from vis_pipeline.training.tracker.sources import TrainingSet, read_training_set
from vis_pipeline.training.work_folder import how_far, open_work_folder, plain_settings, progress_bars, record_settings

_STREAM = 0


def train_redetector(
    config: str, work_dir: Path, resume: bool = False, options: Sequence[str] = (), tensorboard: bool = False
) -> Path:
    """Train as a config says and return the weights' path.

    Writes into `work_dir`: `config.json`, the features (unless the config puts them elsewhere), `embedding.safetensors`
    where hard examples are wanted, `log.jsonl`, `checkpoint.pt` and with it `interim.safetensors`, and at the end
    `redetector.safetensors` and `losses.png`; with `tensorboard` a folder `tensorboard`.

    Raises:
        ConfigError: the config cannot be used, `work_dir` holds a training and `resume` is off, a package is missing,
            or a loss is no longer finite.
        DataError: the data cannot be used, or a file cannot be written.
        WeightsError: the detector's weights cannot be used, or weights cannot be written.
    """
    settings = parse(RedetectorTraining, load_config(config, options), f"config {config}")
    return RedetectorTrainer(settings, work_dir).run(resume, tensorboard)


class RedetectorTrainer:
    """One training in one work folder. Each step draws its pairs from (seed, step) alone, so resuming is exact."""

    def __init__(self, settings: RedetectorTraining, work_dir: Path) -> None:
        self._settings = settings
        self._work_dir = work_dir
        self._checkpoint = work_dir / "checkpoint.pt"
        self._device = torch_device(settings.device, "device")
        self._data = read_training_set(settings.sources)
        self._source = _region_source(settings, self._device)
        self._network = self._new_network()
        self._optimizer = _optimizer(self._network, settings.schedule.weight_decay)
        self._state = TrainingState(self._network, self._optimizer, "adamw")
        self._kept = 0

    def run(self, resume: bool, tensorboard: bool = False) -> Path:
        """Train to the last step, from the start or from the last checkpoint."""
        self._kept = first = self._start(resume)
        with telling(self._how_far), progress_bars() as progress:
            stored = self._stored(progress)
            table = object_table(self._data, stored)
            features = ObjectFeatures(table, stored, self._device)
            sampler = PairSampler(self._data, table, stored, self._settings.pairs)
            if not first:
                self._begin(table, features)
            miner = self._miner(table, features, sampler, progress)
            log_path = self._work_dir / "log.jsonl"
            log = TrainingLog(log_path, first, self._work_dir / "tensorboard" if tensorboard else None)
            try:
                lesson = _Lesson(sampler, miner, features, table, stored, self._source, self._device)
                self._train(first, lesson, log, progress)
            finally:
                log.close()
        draw_curves(log_path, self._work_dir / "losses.png")
        weights = self._work_dir / "redetector.safetensors"
        self._export(weights, self._settings.schedule.steps)
        return weights

    def _train(self, first: int, lesson: "_Lesson", log: TrainingLog, progress: Progress) -> None:
        settings, schedule = self._settings, self._settings.schedule
        bar = progress.add_task("training", total=schedule.steps, completed=first, state="")
        meter = Meter(schedule.batch)
        for step in range(first, schedule.steps):
            rate = warm_cosine(step, schedule.steps, schedule.warm_up, schedule.learning_rate, schedule.final_rate)
            losses, gradient = self._learn(lesson, step, rate)
            meter.add(losses, gradient)
            last = step + 1 == schedule.steps
            if last or (step + 1) % settings.log_every == 0:
                line = meter.line(step, rate)
                log.append(line)
                progress.update(
                    bar, state=f"{line['pairs_per_second']:.1f} pairs/s, loss {line['losses']['total']:.3f}"
                )
            if last or (step + 1) % settings.checkpoint_every == 0:
                save_checkpoint(self._checkpoint, step + 1, self._state)
                self._kept = step + 1
                self._export(self._work_dir / "interim.safetensors", step + 1)
            progress.advance(bar)

    def _how_far(self) -> str:
        return how_far(self._kept, self._settings.schedule.steps, self._checkpoint)

    def _learn(self, lesson: "_Lesson", step: int, rate: float) -> tuple[dict[str, float], float]:
        """Learn from a batch; its losses and the norm of its gradient.

        Raises:
            ConfigError: one of them is not finite.
        """
        rng = np.random.default_rng((self._settings.seed, _STREAM, step))
        pairs = [lesson.sampler.draw(rng) for _ in range(self._settings.schedule.batch)]
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._settings.precision == "bfloat16"):
            found = lesson.losses(self._network, pairs, rng)
        loss = self._total(found)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(self._network.parameters(), self._settings.schedule.clip)
        self._optimizer.step()
        values = torch.stack([loss, *found.values(), norm]).detach().tolist()
        losses = dict(zip(("total", *found), values, strict=False))
        if not all(map(math.isfinite, values)):
            what = "loss" if not math.isfinite(values[0]) else "gradient"
            named = "; ".join(lesson.name(self._data, pair) for pair in pairs[:4])
            cure = "lower schedule.learning_rate and go on with --resume"
            raise not_finite(step, what, {**losses, "gradient": values[-1]}, cure, named)
        return losses, values[-1]

    def _total(self, losses: dict[str, Tensor]) -> Tensor:
        weights = {f"box_{stage}": self._settings.box_weight for stage in (1, 2, 3)}
        if (hard := self._settings.hard_examples) is not None:
            weights |= {
                "negative": hard.negative_weight,
                "positive": hard.positive_weight,
                "positive_box": hard.positive_box_weight,
            }
        return torch.stack([weights.get(name, 1.0) * value for name, value in losses.items()]).sum()

    def _stored(self, progress: Progress) -> list[VideoFeatures]:
        """All videos' features; those that are not there yet are made."""
        settings = self._settings
        folder = settings.store.folder or self._work_dir / "features"
        store = FeatureStore(folder, self._data, settings, settings.detector.weights())
        missing = store.missing()
        if missing:
            bar = progress.add_task("features of videos", total=len(missing), state="")
            for _ in store.make(missing, self._source):
                progress.advance(bar)
        return [store.read(video) for video in range(len(self._data.videos))]

    def _miner(
        self, table: ObjectTable, features: ObjectFeatures, sampler: PairSampler, progress: Progress
    ) -> HardExampleMiner | None:
        settings = self._settings.hard_examples
        if settings is None:
            return None
        steps = settings.embedding.class_steps + settings.embedding.instance_steps
        bar = progress.add_task("embedding", total=steps, state="")

        def report(step: int, loss: float) -> None:
            progress.update(bar, completed=step + 1, state=f"loss {loss:.3f}")

        path = self._work_dir / "embedding.safetensors"
        seed = self._settings.seed
        network = trained_embedding(path, self._data, table, features, settings.embedding, seed, report)
        progress.update(bar, completed=steps)
        points = embed(network, features, len(table))
        return HardExampleMiner(settings, table, features, points, sampler.rows_of, seed)

    def _begin(self, table: ObjectTable, features: ObjectFeatures) -> None:
        """Let each stage begin with what tells the objects apart."""
        directions = discriminant_directions(features.means(len(table)), table.object)
        for stage in self._network.cascade:
            stage.compare_along(directions.to(self._device))

    def _new_network(self) -> Redetector:
        head, channels = self._settings.head, self._source.trunk.channels
        width = head.conv_channels or channels
        if width % head.groups:
            raise ConfigError(f"head.groups = {head.groups}: do not divide {width} channels (head.conv_channels)")
        architecture = RedetectorArchitecture(channels, width, head.fc_channels or 4 * channels, head.groups)
        with torch.random.fork_rng():
            torch.manual_seed(self._settings.seed)
            return Redetector(architecture).to(self._device)

    def _start(self, resume: bool) -> int:
        """Prepare the work folder, and return the first step."""
        open_work_folder(self._work_dir, self._checkpoint, resume)
        first = load_checkpoint(self._checkpoint, self._state) if self._checkpoint.exists() else 0
        record_settings(self._work_dir, self._settings, resumed=first > 0)
        return first

    def _export(self, path: Path, step: int) -> None:
        """Write the weights with what they were trained by, without where on this machine it lay."""
        settings = self._settings
        sources = [
            {"type": entry.type, "split": "/".join(annotation_path(entry).parts[-2:]), "weight": entry.weight}
            for entry in settings.sources
        ]
        training = {**plain_settings(settings), "step": step, "sources": sources}
        training["store"] = {**training["store"], "folder": None}
        save_redetector(path, self._network, settings.detector.checkpoint, {"training": training})


class _Lesson:
    """What the steps learn from."""

    def __init__(
        self,
        sampler: PairSampler,
        miner: HardExampleMiner | None,
        features: ObjectFeatures,
        table: ObjectTable,
        stored: Sequence[VideoFeatures],
        source: MmdetRegions,
        device: torch.device,
    ) -> None:
        self.sampler = sampler
        self._miner = miner
        self._features = features
        self._table = table
        self._stored = stored
        self._source = source
        self._device = device

    def losses(self, network: Redetector, pairs: Sequence[Pair], rng: np.random.Generator) -> dict[str, Tensor]:
        """All losses of a batch."""
        templates = self._features.of(np.array([pair.template for pair in pairs]), TRUE)
        objects = self._features.boxes(np.array([pair.target for pair in pairs]))[:, TRUE]
        boxes = [torch.from_numpy(pair.boxes).to(self._device) for pair in pairs]
        found = cascade_losses(network, templates, [self._sight(pair.target) for pair in pairs], boxes, objects)
        if self._miner is not None:
            examples: list[HardExamples] = [self._miner.draw(pair.template, rng) for pair in pairs]
            found |= hard_example_losses(network, templates, examples)
        return found

    def name(self, data: TrainingSet, pair: Pair) -> str:
        """Where a pair is from: its video, and the frames of its template and target."""
        video = data.videos[self._table.video[pair.template]]
        first, second = (video.paths[self._table.frame[row]].name for row in (pair.template, pair.target))
        return f"{video.name}/{first} + {second}"

    def _sight(self, row: int) -> PyramidRegions:
        video, sight = self._stored[self._table.video[row]], int(self._table.sight[row])
        levels = [level.to(self._device) for level in video.pyramid(sight)]
        # The sampler has drawn from the proposals already.
        return self._source.trunk.over(levels, levels[0].new_zeros((0, 4)), video.scale, video.size)


def _region_source(settings: RedetectorTraining, device: torch.device) -> MmdetRegions:
    source = MmdetRegions(settings.detector.config, settings.detector.weights(), device)
    for parameter in source.trunk.model.parameters():
        parameter.requires_grad_(False)
    return source


def _optimizer(network: nn.Module, weight_decay: float) -> torch.optim.Optimizer:
    kernels = [value for value in network.parameters() if value.ndim > 1]
    others = [value for value in network.parameters() if value.ndim <= 1]
    groups = [{"params": kernels, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.0)
