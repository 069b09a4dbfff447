"""What each piece of the tracking is worth: variants of a pipeline on one split and the same detections."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from evaluation.births import births
from evaluation.stray import stray_share
from evaluation.track_metrics import track_metrics
from evaluation.youtube_vis import evaluate
from vis_pipeline.bench.workload import Workload
from vis_pipeline.data.results import read_results
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.parallel.cluster import ray_session
from vis_pipeline.runs.progress import ProgressListener
from vis_pipeline.runs.settings import PipelineSettings, load_pipeline
from vis_pipeline.runs.start import RecordedSource, RunOptions, run_split
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import TrackResult
from vis_pipeline.trackers.choices import LastMaskChoice, SiamMaskChoice

STANDARD = ("none", "one-stage", "two-stage")
_TRACKING = ("propagate", "associate", "encode")


@dataclass(frozen=True)
class TrackingFigures:
    """How good the tracks of a variant are.

    Attributes:
        ap: YouTube-VIS AP.
        idf1, hota, assa: over all masks, whatever their category (TrackEval's detection average).
        switches: identity switches.
        tracks_per_object: reported tracks over annotated objects.
        stray: share of shown masks that lie on no object; see :func:`evaluation.stray.stray_share`.
        births: reported tracks.
        rebirths: those of them born on an object that had been tracked before; see :func:`evaluation.births.births`.
    """

    ap: float
    idf1: float
    hota: float
    assa: float
    switches: int
    tracks_per_object: float
    stray: float
    births: int
    rebirths: int


@dataclass(frozen=True)
class AblationRow:
    """One variant: its figures, tracks searched for a frame, and frames that one worker tracks a second.

    Reading, detecting and starting are left out of the speed.
    """

    variant: str
    figures: TrackingFigures
    searched: float
    frames_per_second: float


@dataclass(frozen=True)
class Spread:
    """One figure over several workloads; `deviation` is the sample standard deviation, 0 of one workload."""

    mean: float
    deviation: float
    least: float
    most: float


@dataclass(frozen=True)
class VariantSummary:
    """One variant on all workloads: its rows in their order, and each figure of a row over them, by its name."""

    variant: str
    rows: tuple[AblationRow, ...]
    spreads: Mapping[str, Spread]


def variants(
    config: str,
    options: Sequence[str],
    standard: Sequence[str] = STANDARD,
    more: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, PipelineSettings]:
    """The pipelines to compare, by name.

    Args:
        config: the pipeline config that all start from.
        options: overrides for all of them.
        standard: some of `STANDARD`: without SiamMask, with one stage, with two.
        more: overrides, by name, of further variants.

    Raises:
        ConfigError: the config cannot be used, a name is unknown, or there is no SiamMask to leave out.
    """
    settings = load_pipeline(config, options)
    found: dict[str, PipelineSettings] = {}
    for name in standard:
        if name not in STANDARD:
            raise ConfigError(f"variant '{name}': is none of {', '.join(STANDARD)}; others are given as NAME:KEY=VALUE")
        if not isinstance(settings.tracker, SiamMaskChoice):
            raise ConfigError("bench ablation: the pipeline has no SiamMask to leave out")
        siammask = replace(settings.tracker, stages=1 if name == "one-stage" else 2)
        found[name] = replace(settings, tracker=LastMaskChoice() if name == "none" else siammask)
    for name, overrides in (more or {}).items():
        if name in found:
            raise ConfigError(f"variant '{name}': is there twice; give another name")
        found[name] = load_pipeline(config, [*options, *overrides])
    return found


def ablate(
    compared: Mapping[str, PipelineSettings],
    workload: Workload,
    out: Path,
    options: RunOptions,
    progress: ProgressListener,
) -> Iterator[AblationRow]:
    """Track a workload with each pipeline, in a run folder each below `out`. The rows come as they are finished.

    Raises:
        UserError: as :func:`~vis_pipeline.runs.start.run_split` says; or the split has no annotations.
    """
    truth = read_split(workload.split)
    if not truth.annotations:
        raise DataError(f"split {workload.split}: has no annotations to score by; give one with ground truth")
    recorded = replace(options, recorded=RecordedSource(workload.detections, None))
    with ray_session(options.ray):
        for number, (variant, settings) in enumerate(compared.items()):
            run = out / f"{number}_{''.join(letter if letter.isalnum() else '_' for letter in variant)}"
            run_split(settings, workload.split, workload.frames, run, recorded, progress).require_complete()
            finished = RunFolder.open(run)
            outcomes = [finished.read_video(video.id) for video in truth.videos]
            searches = sum(outcome.searches for outcome in outcomes)
            seconds = sum(outcome.seconds.get(step, 0.0) for outcome in outcomes for step in _TRACKING)
            figures = tracking_figures(read_results(run / "results.json", truth), truth)
            frames = sum(video.length for video in truth.videos)
            yield AblationRow(variant, figures, searches / frames, frames / seconds)


def tracking_figures(results: Sequence[TrackResult], truth: Split) -> TrackingFigures:
    """Score tracks.

    Raises:
        DataError: the split has no annotations, or a result does not fit it.
    """
    pooled = track_metrics(results, truth, ("hota", "identity", "clear")).pooled
    born = births(results, truth)
    return TrackingFigures(
        ap=evaluate(results, truth).to_json()["AP"],
        idf1=pooled.fractions["IDF1"],
        hota=pooled.fractions["HOTA"],
        assa=pooled.fractions["AssA"],
        switches=pooled.counts["IDSW"],
        tracks_per_object=len(results) / max(len(truth.annotations or ()), 1),
        stray=stray_share(results, truth),
        births=born.births,
        rebirths=born.rebirths,
    )


def summarise(rows: Sequence[AblationRow]) -> list[VariantSummary]:
    """The rows of several workloads by variant, in the order in which these come first."""
    by_variant: dict[str, list[AblationRow]] = {}
    for row in rows:
        by_variant.setdefault(row.variant, []).append(row)
    return [
        VariantSummary(variant, tuple(group), {name: _spread(values) for name, values in _columns(group).items()})
        for variant, group in by_variant.items()
    ]


def to_json(summaries: Sequence[VariantSummary], folders: Sequence[Path]) -> list[dict[str, Any]]:
    """The summaries as plain JSON values; `folders` are those of the workloads."""
    return [
        {
            "variant": summary.variant,
            "workloads": [
                {"folder": str(folder), **_figures(row)} for folder, row in zip(folders, summary.rows, strict=True)
            ],
            **{
                part: {name: getattr(spread, part) for name, spread in summary.spreads.items()}
                for part in ("mean", "deviation", "least", "most")
            },
        }
        for summary in summaries
    ]


def _columns(rows: Sequence[AblationRow]) -> dict[str, list[float]]:
    """The values of each figure, one a row."""
    tables = [_figures(row) for row in rows]
    return {name: [table[name] for table in tables] for name in tables[0]}


def _figures(row: AblationRow) -> dict[str, float]:
    return {**asdict(row.figures), "searched": row.searched, "frames_per_second": row.frames_per_second}


def _spread(values: Sequence[float]) -> Spread:
    deviation = stdev(values) if len(values) > 1 else 0.0
    return Spread(fmean(values), deviation, min(values), max(values))
