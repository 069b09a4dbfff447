"""`vis-pipeline edit`: a finished run corrected by hand, as another run."""

from pathlib import Path
from typing import Annotated

import typer

from vis_pipeline.terminal import echo


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("edit")(edit)


def edit(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run; it is only read.")],
    edits: Annotated[Path, typer.Argument(help="The edits, as JSON: see docs/corrections.md.")],
    out: Annotated[Path, typer.Option(help="Folder of the new run, where nothing is yet.")],
    split: Annotated[
        Path | None, typer.Option(help="The split with the classes; the one that the run was made with by default.")
    ] = None,
) -> None:
    """Join, split, delete and rename tracks of a finished run, and write the run that comes of it."""
    from vis_pipeline.corrections.corrected_run import write_corrected_run

    made = write_corrected_run(run, edits, out, split)
    for warning in made.warnings:
        echo(f"warning: {warning}", err=True)
    echo(
        f"{made.edits} edits in {made.videos} videos: {made.tracks_after} tracks of {made.tracks_before} -> {made.path}"
    )
