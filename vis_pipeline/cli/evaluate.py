"""`vis-pipeline evaluate`: AP and AR of results against ground truth, by part, by other metrics, and what costs AP."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.terminal import Terminal, echo

if TYPE_CHECKING:
    from evaluation.track_metrics import MetricName
    from vis_pipeline.structures.splits import Split
    from vis_pipeline.structures.tracks import TrackResult

RESULTS_HELP = "A results.json, a submission zip, or a run's folder."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate_results)


def evaluate_results(
    results: Annotated[Path, typer.Argument(help=RESULTS_HELP)],
    ground_truth: Annotated[Path, typer.Option("--gt", help="YouTube-VIS instances.json with annotations.")],
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the scores to this file as well.")] = None,
    long_truth: Annotated[
        Path | None, typer.Option("--long-gt", help="The long videos of YouTube-VIS 2022; --gt has the short ones.")
    ] = None,
    long_results: Annotated[
        Path | None, typer.Option(help="Results of the long videos, where RESULTS is for the short ones alone.")
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(help="TrackEval's metrics too, with commas or repeated: hota, identity, clear, track_map."),
    ] = None,
    metrics_threshold: Annotated[
        float | None, typer.Option(help="Least score that counts in TrackEval's metrics by frame; default: all count.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="What each kind of error costs; writes errors.json and errors.png.")
    ] = False,
    explain_out: Annotated[
        Path | None, typer.Option(help="Folder for errors.json and errors.png; default: that of the results.")
    ] = None,
) -> None:
    """Score results by the official YouTube-VIS protocol: AP and AR, by size and by category.

    Where the ground truth grades occlusion, as OVIS does, also by occlusion.
    """
    console = Terminal()
    names = _metric_names(metrics)
    _require_together(long_truth, long_results, names, metrics_threshold, explain, explain_out)
    outputs = [] if json_out is None else [json_out]
    folder = explain_out or (results if results.is_dir() else results.parent)
    if explain:
        outputs += [folder / "errors.json", folder / "errors.png"]
    _prepare(outputs, [results, ground_truth, long_truth, long_results])
    split = _ground_truth(ground_truth)
    if long_truth is not None:
        scores = _score_2022(results, split, long_results, _ground_truth(long_truth), console)
    else:
        found = _results(results, split)
        scores = _score(found, split, console)
        if names:
            scores["track_metrics"] = _track_metrics(found, split, names, metrics_threshold, console)
        if explain:
            _explain(found, split, folder, console)
    if json_out is not None:
        _write(json_out, scores)


def _metric_names(given: list[str] | None) -> "tuple[MetricName, ...]":
    if not given:
        return ()
    from evaluation.track_metrics import metric_names

    return metric_names(name.strip().lower() for names in given for name in names.split(","))


def _require_together(
    long_truth: Path | None,
    long_results: Path | None,
    names: "tuple[MetricName, ...]",
    threshold: float | None,
    explain: bool,
    explain_out: Path | None,
) -> None:
    """Refuse options that would go unheard."""
    if long_truth is not None and (names or explain):
        raise ConfigError("--metrics and --explain take one set of videos: leave out --long-gt")
    if long_results is not None and long_truth is None:
        raise ConfigError("--long-results: give the long videos' ground truth too (--long-gt)")
    if threshold is not None and not names:
        raise ConfigError("--metrics-threshold: say which metrics it is for (--metrics hota,clear)")
    if threshold is not None and math.isnan(threshold):
        raise ConfigError("--metrics-threshold: nan is not a number")
    if explain_out is not None and not explain:
        raise ConfigError("--explain-out: give --explain too")


def _prepare(outputs: Sequence[Path], inputs: Sequence[Path | None]) -> None:
    """Make the folders of what will be written; nothing that is read may be written over."""
    for output in outputs:
        if any(path is not None and path.exists() and output.exists() and output.samefile(path) for path in inputs):
            raise ConfigError(f"{output}: would be written over, and it is to be read; give another path")
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{output.parent}: cannot be made ({error.strerror})") from error


def _ground_truth(path: Path) -> "Split":
    from vis_pipeline.data.splits import read_split

    split = read_split(path)
    if split.annotations is None:
        raise DataError(f"split {path}: a test form without ground truth; give one with annotations")
    return split


def _results(path: Path, split: "Split") -> "tuple[TrackResult, ...]":
    from vis_pipeline.data.fit import oddities
    from vis_pipeline.data.results import read_results

    if (path / "config.json").is_file():
        _warn_of_missing(path, {video.id for video in split.videos})
    found = read_results(path, split)
    for oddity in oddities(found, split):
        echo(f"warning: {oddity}", err=True)
    return found


def _score(results: "tuple[TrackResult, ...]", split: "Split", console: Terminal) -> dict[str, Any]:
    from evaluation.subsets import carries_occlusion, score_by_occlusion
    from evaluation.subsets_tables import occlusion_table
    from evaluation.tables import category_table, headline_table
    from evaluation.youtube_vis import measure_overlaps, score_overlaps

    overlaps = measure_overlaps(results, split)
    scores = score_overlaps(overlaps, split.categories)
    console.print(headline_table(scores))
    console.print(category_table(scores))
    if not carries_occlusion(split):
        return scores.to_json()
    try:
        groups = score_by_occlusion(overlaps, split)
    except DataError as error:
        echo(f"warning: not scored by occlusion: {error}", err=True)
        return scores.to_json()
    console.print(occlusion_table(groups))
    return {**scores.to_json(), "occlusion": {name: group.to_json() for name, group in groups.items()}}


def _score_2022(
    results: Path, short: "Split", long_results: Path | None, long: "Split", console: Terminal
) -> dict[str, Any]:
    from evaluation.subsets import evaluate_2022, joined
    from evaluation.subsets_tables import short_and_long_table

    if long_results is None:
        scores = evaluate_2022(_results(results, joined(short, long)), short, long)
    else:
        scores = evaluate_2022(_results(results, short), short, long, _results(long_results, long))
    console.print(short_and_long_table(scores))
    return scores.to_json()


def _track_metrics(
    results: "tuple[TrackResult, ...]",
    split: "Split",
    names: "tuple[MetricName, ...]",
    threshold: float | None,
    console: Terminal,
) -> dict[str, Any]:
    from evaluation.track_metrics import track_metrics
    from evaluation.track_metrics_tables import category_metrics_table, track_metrics_table

    if threshold is not None and results and threshold > max(result.score for result in results):
        echo(f"warning: no result scores {threshold:g} or more, so none counts in the metrics by frame", err=True)
    found = track_metrics(results, split, names, threshold)
    console.print(track_metrics_table(found))
    console.print(category_metrics_table(found))
    return found.to_json()


def _explain(results: "tuple[TrackResult, ...]", split: "Split", out: Path, console: Terminal) -> None:
    from evaluation.explain import explain
    from evaluation.explain.plot import draw
    from evaluation.explain.tables import explanation_tables

    explanation = explain(results, split)
    for table in explanation_tables(explanation):
        console.print(table)
    _write(out / "errors.json", explanation.to_json())
    draw(explanation, out / "errors.png")
    console.print(f"{out / 'errors.json'}, {out / 'errors.png'}", highlight=False, soft_wrap=True)


def _warn_of_missing(run: Path, video_ids: set[int]) -> None:
    from vis_pipeline.runs.folder import RunFolder

    missing = video_ids - RunFolder.open(run).finished()
    if missing:
        named = ", ".join(str(identifier) for identifier in sorted(missing)[:5])
        echo(f"warning: {len(missing)} videos are not finished and count as empty: {named}", err=True)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(content, indent=2) + "\n")
