"""What each piece is worth: the same detections tracked without SiamMask, with one stage, and with two."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.scores import Scores
from evaluation.youtube_vis import evaluate
from vis_pipeline.data.procedural import HARD, write_split
from vis_pipeline.data.youtube_vis import read_results, read_split
from vis_pipeline.errors import ConfigError
from vis_pipeline.pipeline import PipelineSettings, RecordedSource, SiamMaskChoice
from vis_pipeline.progress import ProgressListener
from vis_pipeline.run import DETECTIONS_NAME, RunOptions, run_split
from vis_pipeline.whole_files import write_text


@dataclass(frozen=True)
class AblationRow:
    """One variant: its scores, and frames a second of tracking alone (detections are read from disk)."""

    variant: str
    scores: Scores
    frames_per_second: float


def ablate(
    settings: PipelineSettings,
    out: Path,
    seed: int,
    videos: int,
    drop: float,
    options: RunOptions,
    progress: ProgressListener,
) -> Iterator[AblationRow]:
    """Track one hard procedural split in three ways, from the same detections with a share `drop` of them missing.

    `out` gets the split, the detections and a run folder a variant. The rows come as they are finished.

    Raises:
        ConfigError: the pipeline has no SiamMask to leave out.
        UserError: as :func:`~vis_pipeline.data.procedural.write_split` and :func:`~vis_pipeline.run.run_split` say.
    """
    if settings.siammask is None:
        raise ConfigError("bench ablation: the pipeline has no siammask to leave out")
    split, frames = out / "split" / "instances.json", out / "split" / "JPEGImages"
    write_split(out / "split", seed, videos, HARD)
    # Detecting needs no propagation, so the run that saves the detections goes without.
    detecting = replace(settings, siammask=None)
    all_detections = replace(options, save_detections=True)
    run_split(detecting, split, frames, out / "detected", all_detections, progress).require_complete()
    kept = out / "kept_detections.json"
    detections = json.loads((out / "detected" / DETECTIONS_NAME).read_bytes())
    write_text(kept, json.dumps(without_some(detections, drop, seed)))
    truth = read_split(split)
    for variant, siammask in _variants(settings.siammask).items():
        run = out / variant.replace(" ", "_")
        recorded = replace(options, recorded=RecordedSource(kept, None))
        report = run_split(replace(settings, siammask=siammask), split, frames, run, recorded, progress)
        report.require_complete()
        scores = evaluate(read_results(run / "results.json", truth), truth)
        yield AblationRow(variant, scores, report.frames / report.seconds)


def without_some(detections: list[dict[str, Any]], drop: float, seed: int) -> list[dict[str, Any]]:
    """The detections without a random share `drop` of them, chosen one by one."""
    kept = np.random.default_rng(seed).random(len(detections)) >= drop
    return [entry for entry, keep in zip(detections, kept, strict=True) if keep]


def _variants(siammask: SiamMaskChoice) -> dict[str, SiamMaskChoice | None]:
    return {
        "no SiamMask": None,
        "one-stage": replace(siammask, stages=1),
        "two-stage": replace(siammask, stages=2),
    }
