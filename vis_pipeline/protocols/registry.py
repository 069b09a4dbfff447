"""The benchmarks by name, each with what scores its results where the truth is at hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from vis_pipeline.errors import ConfigError
from vis_pipeline.protocols.benchmark import Benchmark
from vis_pipeline.protocols.davis import Davis2016, Davis2017, davis_folders
from vis_pipeline.protocols.got10k import GOT10K
from vis_pipeline.protocols.lasot import LASOT
from vis_pipeline.protocols.nfs import NFS30, NFS240
from vis_pipeline.protocols.otb import OTB
from vis_pipeline.protocols.trackingnet import TRACKINGNET
from vis_pipeline.protocols.uav import UAV20L, UAV123
from vis_pipeline.protocols.vot.benchmark import SUPERVISED, UNSUPERVISED
from vis_pipeline.protocols.youtube_vos import YouTubeVos, set_folder
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


def davis_scores(form: str, results: Path, data: Path, sequences: Sequence[str]) -> Scored | None:
    """Scores by a form of :mod:`evaluation.davis`; data with the masks of first frames alone are without truth."""
    from evaluation.davis import Form
    from evaluation.davis_folders import folder_scores
    from evaluation.davis_tables import davis_table

    _, masks = davis_folders(data)
    if not any(len(list((masks / name).glob("*.png"))) > 1 for name in sequences):
        return None
    scores, left_out = folder_scores(results, masks, sequences, Form(form))
    overall = {"J&F": scores.J_and_F, "J": scores.J.mean, "F": scores.F.mean}
    return Scored(overall, davis_table(scores), scores.to_json(), left_out)


def youtube_vos_scores(results: Path, data: Path, sequences: Sequence[str]) -> Scored | None:
    """Scores by :mod:`evaluation.youtube_vos`; seen are the classes of the set `train` beside this one, if it is there.

    A set that has only the masks in which objects begin is without truth.
    """
    from evaluation.youtube_vos_folders import folder_scores, has_truth, seen_classes
    from evaluation.youtube_vos_tables import youtube_vos_table

    truth = set_folder(data)
    if not has_truth(truth):
        return None
    training = truth.with_name("train") / "meta.json"
    seen = seen_classes(training) if training.is_file() else None
    scores = folder_scores(results, truth, sequences, seen)
    return Scored(scores.figures, youtube_vos_table(scores), scores.to_json(), scores.left_out)


def _scored_by(protocol: str, has_truth: Callable[[Path], bool] = lambda data: True) -> Scorer:
    def score(results: Path, data: Path, sequences: Sequence[str]) -> Scored | None:
        return single_object_scores(protocol, results, data, sequences, has_truth)

    return score


def _has_more_than_first_boxes(data: Path) -> bool:
    """Whether TrackingNet's boxes are all there; of its test set only the first ones are."""
    from evaluation.single_object.number_files import read_rows
    from evaluation.single_object.one_pass_sequences import trackingnet_sequences

    return any(len(read_rows(path)) > 1 for path in trackingnet_sequences(data).values())


def _has_cover(data: Path) -> bool:
    return any(next(data.glob(f"{below}/cover.label"), None) for below in ("*", "*/*"))


_RATES: Mapping[str, Literal["fifth", "all"]] = {"": "fifth", "-all-frames": "all"}

BENCHMARKS: Mapping[str, Registered] = {
    "got10k": Registered(GOT10K, _scored_by("got10k", _has_cover), "AO"),
    "otb": Registered(OTB, _scored_by("otb"), "AUC"),
    "lasot": Registered(LASOT, _scored_by("lasot"), "AUC"),
    "uav123": Registered(UAV123, _scored_by("uav123"), "AUC"),
    "uav20l": Registered(UAV20L, _scored_by("uav20l"), "AUC"),
    "nfs30": Registered(NFS30, _scored_by("nfs30"), "AUC"),
    "nfs240": Registered(NFS240, _scored_by("nfs240"), "AUC"),
    "trackingnet": Registered(TRACKINGNET, _scored_by("trackingnet", _has_more_than_first_boxes), "AUC"),
    "davis-2016": Registered(Davis2016(), partial(davis_scores, "2016"), "J&F"),
    "davis-2017": Registered(Davis2017(), partial(davis_scores, "2017"), "J&F"),
    **{
        f"youtube-vos-{year}{suffix}": Registered(YouTubeVos(frames), youtube_vos_scores, "overall")
        for year in (2018, 2019)
        for suffix, frames in _RATES.items()
    },
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
