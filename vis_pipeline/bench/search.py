"""A search for settings by Optuna that can be taken up: its journal and a table of its trials in one folder."""

import csv
import io
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.whole_files import write_text

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
class Attempt:
    """What was tried: its number, its overrides by key, none for the settings' own; and its score."""

    number: int
    overrides: Mapping[str, str]
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


class Study:
    """A search that a folder holds: Optuna's journal, and `trials.csv`, best first.

    Args:
        out: the folder.
        space: what to try, by key.
        own: the settings' own values, which are tried first.
        identity: what trials must share to be compared.
        what: names that, for the error where the folder holds another search.
        seed: of the search.

    Raises:
        ConfigError: Optuna is not installed, a choice leaves out the settings' own value, or the folder holds another
            search.
        DataError: the folder cannot be written.
    """

    def __init__(
        self, out: Path, space: Mapping[str, Choice], own: Mapping[str, Any], identity: str, what: str, seed: int
    ) -> None:
        for key, choice in space.items():
            _require_own(key, choice, own[key])
        self._out, self._space, self._seed = out, space, seed
        self._study = self._open(space, own, identity, what)

    def finished(self) -> list[Any]:
        """The trials that have a score, those of earlier searches into the folder included."""
        return [trial for trial in self._study.trials if trial.value is not None]

    def attempt(self, measure: Callable[[Mapping[str, str]], tuple[float, Mapping[str, float]]]) -> Attempt:
        """Try one set of settings: `measure` makes a score and figures of its overrides.

        Whatever `measure` raises ends the trial without a score, and is raised.
        """
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        # Another seed each time, or a search that is taken up would begin with what it has tried.
        self._study.sampler = TPESampler(seed=self._seed + len(self._study.trials), multivariate=True)
        trial = self._study.ask()
        overrides = _suggested(trial, self._space)
        try:
            score, figures = measure(overrides)
        except BaseException:
            self._study.tell(trial, state=TrialState.FAIL)
            raise
        trial.set_user_attr("overrides", overrides)
        trial.set_user_attr("figures", dict(figures))
        self._study.tell(trial, score)
        _write_table(self._out / TABLE, list(self._space), self.finished())
        is_own = len(self.finished()) == 1
        return Attempt(trial.number, {} if is_own else overrides, score)

    def _open(self, space: Mapping[str, Choice], own: Mapping[str, Any], identity: str, what: str) -> Any:
        try:
            import optuna
            from optuna.storages.journal import JournalFileBackend, JournalStorage
        except ImportError as error:
            raise ConfigError("a search needs Optuna; install it with: pip install 'vis-pipeline[tune]'") from error
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
        if study.user_attrs.get("identity", identity) != identity:
            raise ConfigError(f"--out {self._out}: holds a search with another {what}; give a new folder")
        if "identity" not in study.user_attrs:
            study.set_user_attr("identity", identity)
            written = {key: str(own[key]) if isinstance(choice, OneOf) else own[key] for key, choice in space.items()}
            study.enqueue_trial(written)
        return study


def _require_own(key: str, choice: Choice, own: Any) -> None:
    if isinstance(choice, OneOf):
        fits = str(own) in choice.values
    else:
        fits = isinstance(own, int | float) and choice.low <= own <= choice.high
    if not fits:
        raise ConfigError(f"--search {key}: leaves out the setting's own value, {own}, which the search begins with")


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
