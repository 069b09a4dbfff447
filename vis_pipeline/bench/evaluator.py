"""How fast the evaluator is: against the official procedure written plainly, by its stages, and as the work grows."""

import json
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluation.scores import Scores
from evaluation.youtube_vis import IOU_THRESHOLDS, evaluate, measure_overlaps, score_overlaps
from vis_pipeline.bench.plain_evaluator import plain_average_precision
from vis_pipeline.bench.synthetic_results import Workload, make_json
from vis_pipeline.data.results import read_results
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import read_json
from vis_pipeline.masks.track_iou import parse_tracks, track_iou
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import TrackResult

SAME = 1e-9
CASES = {
    "one class": Workload(),
    "40 classes": Workload(categories=40),
    "100 preds": Workload(videos=30, predictions=100),
}


@dataclass(frozen=True)
class Timing:
    """Seconds of one workload.

    Attributes:
        loading: parsing the JSON text alone, by Python's own module.
        reading: our reading of the same files, with every check.
        parse: run-lengths of all masks to arrays, on one core.
        intersect: IoU of all pairs of one class and video, on one core.
        match: matching at all thresholds and sizes, precision and recall.
        ours: all of the evaluation after reading, on all cores.
        plain: the same by the official procedure; None where it was left out.
    """

    loading: float
    reading: float
    parse: float
    intersect: float
    match: float
    ours: float
    plain: float | None


def timed_cases(videos: int, seed: int, folder: Path) -> Iterator[tuple[str, Workload, Timing]]:
    """Time each of `CASES`, at most `videos` videos of it, with the official procedure; `folder` takes the files.

    Raises:
        DataError: the two evaluators disagree.
    """
    for name, case in CASES.items():
        work = replace(case, videos=min(videos, case.videos))
        yield name, work, timed(work, seed, folder, with_plain=True)


def growth(videos: int, seed: int, folder: Path) -> Iterator[tuple[str, Workload, Timing]]:
    """Time ours with half, all and twice the videos, the predictions and the frames."""
    base = Workload(videos=videos)
    for field in ("videos", "predictions", "frames"):
        for factor in (0.5, 1, 2):
            work = replace(base, **{field: round(getattr(base, field) * factor)})
            yield field, work, timed(work, seed, folder, with_plain=False)


def timed(work: Workload, seed: int, folder: Path, with_plain: bool) -> Timing:
    """Time one workload, after one untimed evaluation of a small one that compiles or loads the kernels."""
    _evaluated(replace(work, videos=1), seed, folder)
    truth_file, results_file = _written(work, seed, folder)
    begun = time.perf_counter()
    truth_json, results_json = read_json(truth_file), read_json(results_file)
    loading = time.perf_counter() - begun
    begun = time.perf_counter()
    split = read_split(truth_file)
    results = read_results(results_file, split)
    reading = time.perf_counter() - begun

    parse, intersect = _kernels(results, split)
    overlaps = measure_overlaps(results, split)
    begun = time.perf_counter()
    score_overlaps(overlaps, split.categories)
    match = time.perf_counter() - begun
    begun = time.perf_counter()
    scores = evaluate(results, split)
    ours = time.perf_counter() - begun
    plain = None
    if with_plain:
        begun = time.perf_counter()
        reference = plain_average_precision(truth_json, results_json)
        plain = time.perf_counter() - begun
        _require_same(scores, reference)
    return Timing(loading, reading, parse, intersect, match, ours, plain)


def peak_memory(work: Workload, seed: int, folder: Path) -> tuple[float, int]:
    """Mean pixels of a ground truth's mask, and the most bytes that evaluating takes beyond what was read."""
    split, results = _read(work, seed, folder)
    evaluate(results, split)
    tracemalloc.start()
    evaluate(results, split)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    areas = [parse_tracks([truth.segmentations], work.frames).areas.mean() for truth in split.annotations or ()]
    return float(np.mean(areas)), peak


def _kernels(results: tuple[TrackResult, ...], split: Split) -> tuple[float, float]:
    """Seconds for reading all masks, and for the IoU of all pairs of one class, video by video."""
    parse = intersect = 0.0
    for video in split.videos:
        predictions = [result for result in results if result.video_id == video.id]
        truths = [truth for truth in split.annotations or () if truth.video_id == video.id]
        same = np.array([[p.category_id == t.category_id for t in truths] for p in predictions])
        begun = time.perf_counter()
        first = parse_tracks([result.segmentations for result in predictions], video.length)
        second = parse_tracks([truth.segmentations for truth in truths], video.length)
        parsed = time.perf_counter()
        track_iou(first, second, IOU_THRESHOLDS.min(), same)
        parse, intersect = parse + parsed - begun, intersect + time.perf_counter() - parsed
    return parse, intersect


def _written(work: Workload, seed: int, folder: Path) -> tuple[Path, Path]:
    truth, results = folder / "instances.json", folder / "results.json"
    for path, content in zip((truth, results), make_json(work, seed), strict=True):
        path.write_text(json.dumps(content))
    return truth, results


def _read(work: Workload, seed: int, folder: Path) -> tuple[Split, tuple[TrackResult, ...]]:
    truth, results = _written(work, seed, folder)
    split = read_split(truth)
    return split, read_results(results, split)


def _evaluated(work: Workload, seed: int, folder: Path) -> Scores:
    split, results = _read(work, seed, folder)
    return evaluate(results, split)


def _require_same(scores: Scores, reference: dict[str, float]) -> None:
    found = scores.to_json()
    for name, value in reference.items():
        if abs(found[name] - value) > SAME:
            raise DataError(f"bench evaluator: {name} is {found[name]}, by the official procedure {value}")
