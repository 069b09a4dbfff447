"""What trackers are compared on: a split with its frames and one file of detections, the same for all of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from vis_pipeline.bench.simulated_detections import DetectorFaults, simulate
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.json_files import read_json
from vis_pipeline.files.regular_files import MOST_JSON, MOST_TEXT, read_regular
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.runs.progress import ProgressListener
from vis_pipeline.runs.settings import PipelineSettings
from vis_pipeline.runs.start import DETECTIONS_NAME, RunOptions, run_split
from vis_pipeline.synthesis.procedural import HARD, write_split
from vis_pipeline.trackers.choices import LastMaskChoice

_RECORD = "workload.json"
_KEPT = "kept_detections.json"


@dataclass(frozen=True)
class Workload:
    """Absolute paths: a YouTube-VIS split with annotations, the folder of its frames, and a file of detections."""

    split: Path
    frames: Path
    detections: Path


@dataclass(frozen=True)
class Source:
    """What a workload is made of: a split and its frames, or neither; recorded detections, or a seed to draw them."""

    split: Path | None
    frames: Path | None
    detections: Path | None
    seed: int


def sources(
    splits: Sequence[Path], frames: Sequence[Path], detections: Sequence[Path], seeds: Sequence[int]
) -> list[Source]:
    """One source for each of what is given most often; of what is given once, it serves them all.

    Recorded detections are each of one source.

    Raises:
        ConfigError: the numbers do not go together.
    """
    given = {"--split": splits, "--frames": frames, "--detections": detections, "--seed": seeds}
    count = max(map(len, given.values()))
    for option, values in given.items():
        if len(values) not in ((0, count) if option == "--detections" else (0, 1, count)):
            most = next(name for name, others in given.items() if len(others) == count)
            raise ConfigError(f"{option} is given {len(values)} times, {most} {count} times; give them in pairs")
    columns = (_repeated(values, count) for values in given.values())
    return [Source(*row) for row in zip(*columns, strict=True)]


def _repeated(values: Sequence[Any], count: int) -> Sequence[Any]:
    return values if len(values) == count else [values[0] if values else None] * count


def make_workload(
    source: Source,
    out: Path,
    faults: DetectorFaults,
    videos: int,
    settings: PipelineSettings,
    options: RunOptions,
    progress: ProgressListener,
) -> Workload:
    """The workload of a source: :func:`given_workload`, :func:`simulated_workload` or :func:`drawn_workload`.

    Raises:
        UserError: as these say.
    """
    if source.split is None or source.frames is None:
        return drawn_workload(settings, out, source.seed, videos, faults.drop, options, progress)
    if source.detections is not None:
        return given_workload(source.split, source.frames, source.detections, out)
    return simulated_workload(source.split, source.frames, out, faults, source.seed)


def drawn_workload(
    settings: PipelineSettings,
    out: Path,
    seed: int,
    videos: int,
    drop: float,
    options: RunOptions,
    progress: ProgressListener,
) -> Workload:
    """Hard procedural videos, and what the pipeline's detector finds in them less a random share `drop`, one by one.

    Raises:
        UserError: as :func:`~vis_pipeline.synthesis.procedural.write_split` and
            :func:`~vis_pipeline.runs.start.run_split` say.
    """
    split, frames = out / "split" / "instances.json", out / "split" / "JPEGImages"
    write_split(out / "split", seed, videos, HARD)
    # Detecting needs no propagation, so the run that saves the detections goes without.
    detecting = replace(settings, tracker=LastMaskChoice())
    saving = replace(options, save_detections=True)
    run_split(detecting, split, frames, out / "detected", saving, progress).require_complete()
    detections = read_json(out / "detected" / DETECTIONS_NAME)
    return _recorded(out, split, frames, without_some(detections, drop, seed))


def simulated_workload(split: Path, frames: Path, out: Path, faults: DetectorFaults, seed: int) -> Workload:
    """A split with detections drawn from its true masks.

    Raises:
        DataError: the split cannot be used; `out` cannot be written, or holds another comparison.
    """
    truth = read_split(split)
    try:
        detections = simulate(truth, faults, seed)
    except DataError as error:
        raise DataError(f"split {split}: {error}") from error
    return _recorded(out, split, frames, detections)


def given_workload(split: Path, frames: Path, detections: Path, out: Path) -> Workload:
    """A split with recorded detections as they are.

    Raises:
        DataError: `detections` is a folder; `out` cannot be written, or holds another comparison.
    """
    if detections.is_dir():
        raise DataError(f"detections {detections}: a folder; give the {DETECTIONS_NAME} of a run")
    workload = Workload(split.resolve(), frames.resolve(), detections.resolve())
    _claim(out, workload)
    write_text(out / _RECORD, _text(workload))
    return workload


def read_workload(folder: Path) -> Workload:
    """The workload of an earlier comparison.

    Raises:
        DataError: there is none in the folder.
    """
    try:
        return TypeAdapter(Workload).validate_python(read_json(folder / _RECORD, MOST_TEXT))
    except (DataError, ValidationError) as error:
        raise DataError(f"workload {folder}: no {_RECORD} of `vis-pipeline bench ablation` there") from error


def without_some(detections: Sequence[dict[str, Any]], drop: float, seed: int) -> list[dict[str, Any]]:
    """The detections without a random share `drop` of them, chosen one by one."""
    kept = np.random.default_rng(seed).random(len(detections)) >= drop
    return [entry for entry, keep in zip(detections, kept, strict=True) if keep]


def _recorded(out: Path, split: Path, frames: Path, detections: list[dict[str, Any]]) -> Workload:
    kept, text = out / _KEPT, json.dumps(detections)
    workload = Workload(split.resolve(), frames.resolve(), kept.resolve())
    _claim(out, workload)
    if kept.is_file() and read_regular(kept, MOST_JSON).decode() != text:
        raise DataError(f"--out {out}: holds a comparison on other detections; give a new folder")
    write_text(kept, text)
    write_text(out / _RECORD, _text(workload))
    return workload


def _claim(out: Path, workload: Workload) -> None:
    """Make the folder; one that holds another comparison is left as it is."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"--out {out}: cannot be written ({error.strerror}); give another folder") from error
    if (out / _RECORD).is_file() and read_workload(out) != workload:
        raise DataError(f"--out {out}: holds a comparison on another split or other detections; give a new folder")


def _text(workload: Workload) -> str:
    return json.dumps({key: str(path) for key, path in asdict(workload).items()}, indent=2) + "\n"
