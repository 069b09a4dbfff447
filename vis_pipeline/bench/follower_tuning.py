"""A search for SiamMask's settings on the sequences of a benchmark, as the release's tune_vos and tune_vot do."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vis_pipeline.bench.search import Attempt, Between, Choice, Study
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.protocols.benchmark import BoxKind, Given
from vis_pipeline.protocols.registry import registered
from vis_pipeline.protocols.results_folder import ResultsFolder, results_identity
from vis_pipeline.protocols.spread import SequenceWorkerFactory, run_sequences
from vis_pipeline.runs.parallel import RaySettings
from vis_pipeline.runs.parallel.cluster import ray_session
from vis_pipeline.runs.progress import ProgressListener
from vis_pipeline.settings.config import parse
from vis_pipeline.trackers.followers import FollowerSettings

SPACE: Mapping[str, Choice] = {
    "mask_threshold": Between(0.1, 0.6),
    "penalty_k": Between(0.0, 0.3),
    "window_influence": Between(0.2, 0.6),
    "size_rate": Between(0.1, 1.0),
}
"""The settings that the release tunes, and around what its presets have."""


@dataclass(frozen=True)
class TuningSet:
    """What settings are tried on.

    Attributes:
        benchmark: its name.
        data: its folder, with truth.
        listed: its sequences.
        boxes: which box a result is.
    """

    benchmark: str
    data: Path
    listed: Sequence[Given]
    boxes: BoxKind


class FollowerSearch:
    """A search for settings; `out` keeps Optuna's journal and `trials.csv`, best first.

    A trial's score is the figure that the benchmark goes by.

    Raises:
        ConfigError: Optuna is not installed; the tracker is not SiamMask; a choice does not fit the settings, or leaves
            out their own value; or `out` holds a search of another kind.
        DataError: `out` cannot be written.
    """

    def __init__(
        self, followers: FollowerSettings, space: Mapping[str, Choice], tuned_on: TuningSet, seed: int, out: Path
    ) -> None:
        if followers.tracker != "siammask":
            raise ConfigError("bench tune-sot: only SiamMask's settings can be searched for; give --tracker siammask")
        self._followers, self._tuned_on, self._out = followers, tuned_on, out
        self._entry = registered(tuned_on.benchmark)
        for key, choice in space.items():
            if key not in SPACE:
                raise ConfigError(f"--search {key}: not one of {', '.join(SPACE)}")
            for end in (choice.low, choice.high) if isinstance(choice, Between) else choice.values:
                self._with({key: str(end)})
        own = {key: getattr(followers.settings(), key) for key in space}
        self._study = Study(out, space, own, self._identity(space), "weights, other settings or other sequences", seed)

    def run(self, trials: int, device: str, ray: RaySettings, progress: ProgressListener) -> Iterator[Attempt]:
        """Try settings until there are `trials` sets of them, those of earlier searches into `out` included.

        The first are the preset's own. The sequences of a trial go over the workers.

        Raises:
            UserError: a sequence cannot be run or scored, or as :func:`~vis_pipeline.protocols.spread.run_sequences`.
        """
        if ray.workers == 1 and ray.address is None:
            yield from self._attempts(trials, device, ray, progress)
            return
        with ray_session(ray):
            yield from self._attempts(trials, device, ray, progress)

    def _attempts(self, trials: int, device: str, ray: RaySettings, progress: ProgressListener) -> Iterator[Attempt]:
        while len(self._study.finished()) < trials:
            yield self._study.attempt(lambda overrides: self._measured(overrides, device, ray, progress))

    def _measured(
        self, overrides: Mapping[str, str], device: str, ray: RaySettings, progress: ProgressListener
    ) -> tuple[float, Mapping[str, float]]:
        on = self._tuned_on
        followers = self._with(overrides).with_absolute_paths()
        # A trial that was stopped leaves nothing that another one could take for its own.
        with TemporaryDirectory(dir=self._out, prefix="trial.") as name:
            folder = ResultsFolder.create(Path(name), {})
            factory = SequenceWorkerFactory(
                self._entry.benchmark, followers, on.boxes, device, folder.results.resolve()
            )
            for number, reason in run_sequences(on.listed, factory, folder, ray, progress).set_aside.items():
                raise _without(on.listed[number - 1].name, reason)
            scored = self._entry.score(folder.results, on.data, [given.name for given in on.listed])
        if scored is None:
            raise DataError(f"data {on.data}: has no ground truth to tune on")
        for sequence, reason in scored.left_out.items():
            raise _without(sequence, reason)
        score = scored.overall[self._entry.objective]
        if math.isnan(score):
            raise DataError(f"{self._entry.objective} is not defined on these sequences; give more or longer ones")
        return score, scored.overall

    def _with(self, overrides: Mapping[str, str]) -> FollowerSettings:
        return parse(FollowerSettings, {**asdict(self._followers), **overrides}, "--search")

    def _identity(self, space: Mapping[str, Choice]) -> str:
        """What trials must share to be compared."""
        on = self._tuned_on
        content: list[Any] = [
            results_identity(on.benchmark, self._followers, on.boxes),
            {key: asdict(choice) for key, choice in space.items()},
            [[given.name, given.length] for given in on.listed],
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _without(sequence: str, reason: str) -> DataError:
    return DataError(f"sequence {sequence}: {reason}; tune without it, by --sequences")
