"""A search for settings: pipelines proposed by Optuna, tracked on workloads, each trial kept in a table."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from vis_pipeline.bench.ablation import AblationRow, ablate
from vis_pipeline.bench.search import Between, Choice, Study
from vis_pipeline.bench.workload import Workload
from vis_pipeline.runs.parallel.cluster import ray_session
from vis_pipeline.runs.progress import ProgressListener
from vis_pipeline.runs.settings import PipelineSettings, load_pipeline
from vis_pipeline.runs.start import RunOptions
from vis_pipeline.weights.fetch import sha256


@dataclass(frozen=True)
class TuningTrial:
    """One set of settings: its overrides by config key, none for the config's own; its rows, one a workload; its score.

    The score is the mean of AP, IDF1 and HOTA over the workloads.
    """

    number: int
    overrides: Mapping[str, str]
    rows: tuple[AblationRow, ...]
    score: float


class Search:
    """A search for settings; `out` keeps Optuna's journal and `trials.csv`, best first.

    Raises:
        ConfigError: Optuna is not installed; a choice does not fit the config, or leaves out the config's own value; or
            `out` holds a search of another kind.
        DataError: `out` cannot be written.
    """

    def __init__(
        self,
        config: str,
        options: Sequence[str],
        space: Mapping[str, Choice],
        workloads: Sequence[Workload],
        seed: int,
        out: Path,
    ) -> None:
        self._config, self._options, self._space = config, options, space
        self._workloads, self._out = workloads, out
        own = load_pipeline(config, options)
        values = {key: _own_value(own, key) for key in space}
        for key, choice in space.items():
            ends = (choice.low, choice.high) if isinstance(choice, Between) else choice.values
            for end in ends:
                load_pipeline(config, [*options, f"{key}={end}"])
        what = "config, other choices or other workloads"
        self._study = Study(out, space, values, self._identity(), what, seed)

    def run(self, trials: int, run_options: RunOptions, progress: ProgressListener) -> Iterator[TuningTrial]:
        """Try settings until there are `trials` sets of them, those of earlier searches into `out` included.

        The first are the config's own.

        Raises:
            UserError: as :func:`~vis_pipeline.bench.ablation.ablate` says.
        """
        with ray_session(run_options.ray):
            while len(self._study.finished()) < trials:
                yield self._try(run_options, progress)

    def _try(self, run_options: RunOptions, progress: ProgressListener) -> TuningTrial:
        rows: list[AblationRow] = []

        def measure(overrides: Mapping[str, str]) -> tuple[float, Mapping[str, float]]:
            rows.extend(self._rows(overrides, run_options, progress))
            score = fmean(value for row in rows for value in (row.figures.ap, row.figures.idf1, row.figures.hota))
            return score, _cells(rows)

        tried = self._study.attempt(measure)
        return TuningTrial(tried.number, tried.overrides, tuple(rows), tried.score)

    def _rows(
        self, overrides: Mapping[str, str], run_options: RunOptions, progress: ProgressListener
    ) -> Iterator[AblationRow]:
        written = [f"{key}={value}" for key, value in overrides.items()]
        pipeline = load_pipeline(self._config, [*self._options, *written])
        for workload in self._workloads:
            # A run that was stopped leaves nothing that another one could take for its own.
            with TemporaryDirectory(dir=self._out, prefix="run.") as folder:
                yield from ablate({"tried": pipeline}, workload, Path(folder), run_options, progress)

    def _identity(self) -> str:
        """What trials must share to be compared."""
        content = [
            asdict(load_pipeline(self._config, self._options)),
            {key: asdict(choice) for key, choice in self._space.items()},
            [[sha256(path) for path in (work.split, work.detections)] for work in self._workloads],
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _own_value(settings: PipelineSettings, key: str) -> Any:
    """The config's value under a dotted key, enumerations by their values."""
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, part, None)
    return value.value if isinstance(value, Enum) else value


def _cells(rows: Sequence[AblationRow]) -> dict[str, float]:
    names = ("ap", "idf1", "hota", "assa", "switches", "tracks_per_object", "stray")
    return {f"{name}_{number}": getattr(row.figures, name) for number, row in enumerate(rows, 1) for name in names}
