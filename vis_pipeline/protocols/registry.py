"""The benchmarks by name, each with what scores its results where the truth is at hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from vis_pipeline.errors import ConfigError
from vis_pipeline.protocols.benchmark import Benchmark
from vis_pipeline.protocols.got10k import GOT10K
from vis_pipeline.protocols.lasot import LASOT
from vis_pipeline.protocols.otb import OTB
from vis_pipeline.protocols.vot.benchmark import SUPERVISED, UNSUPERVISED
from vis_pipeline.settings.misspelt import did_you_mean

if TYPE_CHECKING:
    from rich.console import RenderableType

    from evaluation.single_object.curves import Curve


@dataclass(frozen=True)
class Scored:
    """The scores of a benchmark's results.

    Attributes:
        overall: the figures over all sequences.
        table: for the terminal.
        content: of the JSON file.
        left_out: why sequences could not be scored, by their names.
        curves: to draw.
    """

    overall: Mapping[str, float]
    table: "RenderableType"
    content: Mapping[str, Any]
    left_out: Mapping[str, str] = field(default_factory=dict)
    curves: "tuple[Curve, ...]" = ()


Scorer: TypeAlias = Callable[[Path, Path, Sequence[str]], Scored | None]
"""Scores results: their folder, the data and the sequences' names; None where the data is without truth.

DataError where none of the sequences can be scored.
"""


@dataclass(frozen=True)
class Registered:
    """A benchmark.

    Attributes:
        benchmark: runs it.
        score: scores its results.
        objective: the figure that it goes by, one of the scores' `overall`.
    """

    benchmark: Benchmark[Any]
    score: Scorer
    objective: str


def single_object_scores(
    protocol: str, results: Path, data: Path, sequences: Sequence[str], has_truth: Callable[[Path], bool]
) -> Scored | None:
    """Scores by a protocol of :mod:`evaluation.single_object.protocols`."""
    from evaluation.single_object.curves import curves_of
    from evaluation.single_object.protocols import protocol_scores
    from evaluation.single_object.tables import score_tables

    if not has_truth(data):
        return None
    scores = protocol_scores(protocol, results, data, sequences)
    return Scored(scores.overall, score_tables(scores), scores.to_json(), scores.left_out, curves_of(scores))


def _scored_by(protocol: str, has_truth: Callable[[Path], bool] = lambda data: True) -> Scorer:
    def score(results: Path, data: Path, sequences: Sequence[str]) -> Scored | None:
        return single_object_scores(protocol, results, data, sequences, has_truth)

    return score


def _has_cover(data: Path) -> bool:
    return any(next(data.glob(f"{below}/cover.label"), None) for below in ("*", "*/*"))


BENCHMARKS: Mapping[str, Registered] = {
    "got10k": Registered(GOT10K, _scored_by("got10k", _has_cover), "AO"),
    "otb": Registered(OTB, _scored_by("otb"), "AUC"),
    "lasot": Registered(LASOT, _scored_by("lasot"), "AUC"),
    **{name: Registered(SUPERVISED, _scored_by(name), "EAO") for name in ("vot2016", "vot2018", "vot2019")},
    "vot-unsupervised": Registered(UNSUPERVISED, _scored_by("vot-unsupervised"), "AO"),
}


def registered(name: str) -> Registered:
    """The benchmark of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in BENCHMARKS:
        hint = did_you_mean(name, list(BENCHMARKS)) or f"; give one of {', '.join(BENCHMARKS)}"
        raise ConfigError(f"benchmark {name}: unknown{hint}")
    return BENCHMARKS[name]
