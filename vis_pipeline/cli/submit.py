"""`vis-pipeline submit`: a run's results, checked and zipped for the challenge server."""

from pathlib import Path
from typing import Annotated

import typer

from vis_pipeline.terminal import echo


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("submit")(submit)


def submit(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    split: Annotated[
        Path | None, typer.Option(help="The split to check against; the one that the run was made with by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The zip to write; RUN/submission.zip by default.")] = None,
) -> None:
    """Check a run's results by the challenge's rules and write the zip to upload."""
    from vis_pipeline.data.splits import read_split
    from vis_pipeline.errors import DataError
    from vis_pipeline.runs import submission
    from vis_pipeline.runs.folder import RunFolder

    folder = RunFolder.open(run)
    recorded = split or folder.input_path("split")
    if recorded is None:
        raise DataError(f"run folder {run}: was not made from a split; give --split")
    made = submission.submit(folder, read_split(recorded), out or run / "submission.zip")
    for warning in made.warnings:
        echo(f"warning: {warning}", err=True)
    echo(f"{made.path}: {made.tracks} tracks in {made.videos} videos, every rule checked")
