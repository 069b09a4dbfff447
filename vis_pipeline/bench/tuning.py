"""A search for settings: pipelines proposed by Optuna, tracked on workloads, each trial kept in a table."""

import csv
import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, TypeAlias

from vis_pipeline.bench.ablation import AblationRow, ablate
from vis_pipeline.bench.workload import Workload
from vis_pipeline.errors import ConfigError
from vis_pipeline.parallel.cluster import ray_session
from vis_pipeline.pipeline import load_pipeline
from vis_pipeline.progress import ProgressListener
from vis_pipeline.run import RunOptions
from vis_pipeline.whole_files import write_text

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
    """One set of overrides, by config key; its rows, one a workload; and the mean of AP, IDF1 and HOTA over them."""

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
    if not ends[0] < ends[1]:
        raise ConfigError(f"--search {text}: {low} is not below {high}")
    return key, Between(*ends)


def tune(
    config: str,
    options: Sequence[str],
    space: Mapping[str, Choice],
    workloads: Sequence[Workload],
    trials: int,
    seed: int,
    out: Path,
    run_options: RunOptions,
    progress: ProgressListener,
) -> Iterator[TuningTrial]:
    """Try `trials` sets of overrides, the first of them none; go on where an earlier search into `out` stopped.

    `out` keeps Optuna's journal and `trials.csv`, best first.

    Raises:
        ConfigError: Optuna is not installed, or an override does not fit the config.
        UserError: as :func:`~vis_pipeline.bench.ablation.ablate` says.
    """
    try:
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalStorage
    except ImportError as error:
        raise ConfigError("bench tune needs Optuna; install it with: pip install 'vis-pipeline[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    out.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(out / _JOURNAL))),
        study_name=_STUDY,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True),
        load_if_exists=True,
    )
    with ray_session(run_options.ray):
        while len(finished := [trial for trial in study.trials if trial.state.is_finished()]) < trials:
            trial = study.ask()
            overrides = _suggested(trial, space) if finished else {}
            pipeline = load_pipeline(config, [*options, *(f"{key}={value}" for key, value in overrides.items())])
            rows: list[AblationRow] = []
            for number, workload in enumerate(workloads):
                rows += ablate({f"workload_{number}": pipeline}, workload, out / "runs", run_options, progress)
                shutil.rmtree(out / "runs")
            score = fmean(value for row in rows for value in (row.figures.ap, row.figures.idf1, row.figures.hota))
            trial.set_user_attr("overrides", overrides)
            trial.set_user_attr("figures", _cells(rows))
            study.tell(trial, score)
            _write_table(out / TABLE, study.trials)
            yield TuningTrial(trial.number, overrides, tuple(rows), score)


def _suggested(trial: "Trial", space: Mapping[str, Choice]) -> dict[str, str]:
    values: dict[str, Any] = {}
    for key, choice in space.items():
        if isinstance(choice, OneOf):
            values[key] = trial.suggest_categorical(key, choice.values)
        elif isinstance(choice.low, int) and isinstance(choice.high, int):
            values[key] = trial.suggest_int(key, choice.low, choice.high)
        else:
            values[key] = f"{trial.suggest_float(key, choice.low, choice.high):.4g}"
    return {key: str(value) for key, value in values.items()}


def _cells(rows: Sequence[AblationRow]) -> dict[str, float]:
    names = ("ap", "idf1", "hota", "assa", "switches", "tracks_per_object", "stray")
    return {f"{name}_{number}": getattr(row.figures, name) for number, row in enumerate(rows, 1) for name in names}


def _write_table(path: Path, trials: Sequence[Any]) -> None:
    """The finished trials, best first, one line each: number, score, overrides, figures by workload."""
    finished = sorted((trial for trial in trials if trial.value is not None), key=lambda trial: -trial.value)
    lines = [
        {"trial": trial.number, "score": trial.value, **trial.user_attrs["overrides"], **trial.user_attrs["figures"]}
        for trial in finished
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(key for line in lines for key in line)))
    writer.writeheader()
    writer.writerows(lines)
    write_text(path, text.getvalue())
