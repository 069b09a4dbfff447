"""`vis-pipeline vis-to-sot`: the objects of a YouTube-VIS split as sequences of a single-object benchmark."""

from pathlib import Path
from typing import Annotated

import typer

from vis_pipeline.terminal import echo


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("vis-to-sot")(vis_to_sot)


def vis_to_sot(
    form: Annotated[str, typer.Argument(help="got10k or otb.")],
    split: Annotated[Path, typer.Option(help="YouTube-VIS split with annotations, as synth or davis-to-vis make it.")],
    frames: Annotated[Path, typer.Option(help="Folder that the split's file names start from.")],
    out: Annotated[Path, typer.Option(help="New folder of the sequences.")],
) -> None:
    """Write each object of a split as a sequence, with the boxes around its masks; the frames are copied.

    An object that cannot be written is named and left out, and the exit code is 2.
    """
    from vis_pipeline.errors import DataError
    from vis_pipeline.protocols.from_split import write_sequences

    made = write_sequences(form, split, frames, out)
    echo(f"{out}: {len(made.names)} sequences")
    for name, reason in made.left_out.items():
        echo(f"sequence {name}: {reason}", err=True)
    if made.left_out:
        raise DataError(f"{len(made.left_out)} of {len(made.left_out) + len(made.names)} objects are left out")
