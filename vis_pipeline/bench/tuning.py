"""A search for settings: pipelines proposed by Optuna, tracked on workloads, each trial kept in a table."""

import csv
import hashlib
import io
import json
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias

from vis_pipeline.bench.ablation import AblationRow, ablate
from vis_pipeline.bench.workload import Workload
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.runs.parallel.cluster import ray_session
from vis_pipeline.runs.progress import ProgressListener
from vis_pipeline.runs.settings import PipelineSettings, load_pipeline
from vis_pipeline.runs.start import RunOptions
from vis_pipeline.weights.fetch import sha256

if TYPE_CHECKING:
    from optuna.trial import Trial

TABLE = "trials.csv"
_JOURNAL = "trials.journal"
_STUDY = "tracking"


@dataclass(frozen=True)
class Between:
    """Numbers from `low` to `high`, both included; whole ones where both are."""

    low: float
    high: float


@dataclass(frozen=True)
class OneOf:
    """Values as they are written in an override."""

    values: tuple[str, ...]


Choice: TypeAlias = Between | OneOf


@dataclass(frozen=True)
class TuningTrial:
    """One set of settings: its overrides by config key, none for the config's own; its rows, one a workload; its score.

    The score is the mean of AP, IDF1 and HOTA over the workloads.
    """

    number: int
    overrides: Mapping[str, str]
    rows: tuple[AblationRow, ...]
    score: float


def parse_choice(text: str) -> tuple[str, Choice]:
    """`KEY=LOW:HIGH` or `KEY=A,B,C`.

    Raises:
        ConfigError: it is neither.
    """
    key, equals, values = text.partition("=")
    low, colon, high = values.partition(":")
    if not (key and equals and values):
        raise ConfigError(f"--search {text}: expected KEY=LOW:HIGH or KEY=A,B,C")
    if not colon:
        return key, OneOf(tuple(values.split(",")))
    try:
        ends = [float(end) if "." in end or "e" in end else int(end) for end in (low, high)]
    except ValueError:
        raise ConfigError(f"--search {text}: {values} are not two numbers LOW:HIGH") from None
    if not (ends[0] < ends[1] and all(map(math.isfinite, ends))):
        raise ConfigError(f"--search {text}: {low} is not below {high}")
    return key, Between(*ends)


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
        self._workloads, self._seed, self._out = workloads, seed, out
        own = load_pipeline(config, options)
        self._own = {key: _own_value(own, key) for key in space}
        for key, choice in space.items():
            ends = (choice.low, choice.high) if isinstance(choice, Between) else choice.values
            for end in ends:
                load_pipeline(config, [*options, f"{key}={end}"])
            _require_own(key, choice, self._own[key])
        self._study = self._open()

    def run(self, trials: int, run_options: RunOptions, progress: ProgressListener) -> Iterator[TuningTrial]:
        """Try settings until there are `trials` sets of them, those of earlier searches into `out` included.

        The first are the config's own.

        Raises:
            UserError: as :func:`~vis_pipeline.bench.ablation.ablate` says.
        """
        with ray_session(run_options.ray):
            while len(self._finished()) < trials:
                yield self._try(run_options, progress)

    def _try(self, run_options: RunOptions, progress: ProgressListener) -> TuningTrial:
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        # Another seed each time, or a search that is taken up would begin with what it has tried.
        self._study.sampler = TPESampler(seed=self._seed + len(self._study.trials), multivariate=True)
        trial = self._study.ask()
        overrides = _suggested(trial, self._space)
        try:
            rows = tuple(self._rows(overrides, run_options, progress))
        except BaseException:
            self._study.tell(trial, state=TrialState.FAIL)
            raise
        score = fmean(value for row in rows for value in (row.figures.ap, row.figures.idf1, row.figures.hota))
        trial.set_user_attr("overrides", overrides)
        trial.set_user_attr("figures", _cells(rows))
        self._study.tell(trial, score)
        _write_table(self._out / TABLE, list(self._space), self._finished())
        is_own = len(self._finished()) == 1
        return TuningTrial(trial.number, {} if is_own else overrides, rows, score)

    def _rows(
        self, overrides: Mapping[str, str], run_options: RunOptions, progress: ProgressListener
    ) -> Iterator[AblationRow]:
        written = [f"{key}={value}" for key, value in overrides.items()]
        pipeline = load_pipeline(self._config, [*self._options, *written])
        for workload in self._workloads:
            # A run that was stopped leaves nothing that another one could take for its own.
            with TemporaryDirectory(dir=self._out, prefix="run.") as folder:
                yield from ablate({"tried": pipeline}, workload, Path(folder), run_options, progress)

    def _finished(self) -> list[Any]:
        return [trial for trial in self._study.trials if trial.value is not None]

    def _open(self) -> Any:
        try:
            import optuna
            from optuna.storages.journal import JournalFileBackend, JournalStorage
        except ImportError as error:
            raise ConfigError("bench tune needs Optuna; install it with: pip install 'vis-pipeline[tune]'") from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            storage = JournalStorage(JournalFileBackend(str(self._out / _JOURNAL)))
        except OSError as error:
            raise DataError(f"--out {self._out}: cannot be written ({error.strerror}); give another folder") from error
        with warnings.catch_warnings():
            # Optuna calls what is used here experimental.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study = optuna.create_study(storage=storage, study_name=_STUDY, direction="maximize", load_if_exists=True)
        identity = self._identity()
        if study.user_attrs.get("identity", identity) != identity:
            raise ConfigError(
                f"--out {self._out}: holds a search with another config, other choices or other workloads; "
                "give a new folder"
            )
        if "identity" not in study.user_attrs:
            study.set_user_attr("identity", identity)
            study.enqueue_trial(self._own)
        return study

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


def _require_own(key: str, choice: Choice, own: Any) -> None:
    if isinstance(choice, OneOf):
        fits = str(own) in choice.values
    else:
        fits = isinstance(own, int | float) and choice.low <= own <= choice.high
    if not fits:
        raise ConfigError(f"--search {key}: leaves out the config's own value, {own}, which the search begins with")


def _suggested(trial: "Trial", space: Mapping[str, Choice]) -> dict[str, str]:
    values: dict[str, Any] = {}
    for key, choice in space.items():
        if isinstance(choice, OneOf):
            values[key] = trial.suggest_categorical(key, choice.values)
        elif isinstance(choice.low, int) and isinstance(choice.high, int):
            values[key] = trial.suggest_int(key, choice.low, choice.high)
        else:
            values[key] = trial.suggest_float(key, choice.low, choice.high)
    return {key: str(value) for key, value in values.items()}


def _cells(rows: Sequence[AblationRow]) -> dict[str, float]:
    names = ("ap", "idf1", "hota", "assa", "switches", "tracks_per_object", "stray")
    return {f"{name}_{number}": getattr(row.figures, name) for number, row in enumerate(rows, 1) for name in names}


def _write_table(path: Path, keys: Sequence[str], trials: Sequence[Any]) -> None:
    """The finished trials, best first, one line each: number, score, overrides, figures by workload."""
    best_first = sorted(trials, key=lambda trial: -trial.value)
    lines = [
        {"trial": trial.number, "score": trial.value, **trial.user_attrs["overrides"], **trial.user_attrs["figures"]}
        for trial in best_first
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, ["trial", "score", *keys, *best_first[0].user_attrs["figures"]])
    writer.writeheader()
    writer.writerows(lines)
    write_text(path, text.getvalue())
