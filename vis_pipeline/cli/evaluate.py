"""`vis-pipeline evaluate`: AP and AR of results against ground truth."""

import json
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from vis_pipeline.errors import DataError

RESULTS_NAME = "results.json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate_results)


def evaluate_results(
    results: Annotated[Path, typer.Argument(help="A results.json, a submission zip, or a run's folder.")],
    ground_truth: Annotated[Path, typer.Option("--gt", help="YouTube-VIS instances.json with annotations.")],
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the scores to this file as well.")] = None,
) -> None:
    """Score results by the official YouTube-VIS protocol: AP and AR, by size and by category."""
    from rich.console import Console

    from evaluation.tables import category_table, headline_table
    from evaluation.youtube_vis import evaluate
    from vis_pipeline.data.youtube_vis import read_results, read_split

    split = read_split(ground_truth)
    if split.annotations is None:
        raise DataError(f"split {ground_truth}: a test form without ground truth; give one with annotations")
    file = _results_file(results)
    if (results / "config.json").is_file():
        _warn_of_missing(results, {video.id for video in split.videos})
    scores = evaluate(read_results(file), split)
    console = Console()
    console.print(headline_table(scores))
    console.print(category_table(scores))
    if json_out is not None:
        _write(json_out, json.dumps(scores.to_json(), indent=2) + "\n")


def _results_file(path: Path) -> Path | zipfile.Path:
    """The JSON file itself, wherever in a folder or a zip it lies."""
    if path.is_dir():
        if not (path / RESULTS_NAME).is_file():
            raise DataError(f"run folder {path}: holds no {RESULTS_NAME}; has the run finished?")
        return path / RESULTS_NAME
    if path.suffix != ".zip":
        return path
    try:
        member = zipfile.Path(path, RESULTS_NAME)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"submission {path}: not a readable zip ({error})") from error
    if not member.is_file():
        raise DataError(f"submission {path}: holds no {RESULTS_NAME} at its top level")
    return member


def _warn_of_missing(run: Path, video_ids: set[int]) -> None:
    from vis_pipeline.run_folder import RunFolder

    missing = video_ids - RunFolder.open(run).finished()
    if missing:
        named = ", ".join(str(identifier) for identifier in sorted(missing)[:5])
        typer.echo(f"warning: {len(missing)} videos are not finished and count as empty: {named}", err=True)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise DataError(f"scores {path}: cannot be written ({error.strerror})") from error
