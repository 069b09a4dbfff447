"""`vis-pipeline synth-vot` and `to-vot`: data sets in VOT's form, drawn or from masks."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from vis_pipeline.terminal import echo


class Truth(str, Enum):
    """The rectangles that masks give."""

    mbr = "mbr"
    opt = "opt"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("synth-vot")(synth_vot)
    app.command("to-vot")(to_vot)


def synth_vot(
    seed: Annotated[
        int, typer.Option(help="Below 10000 for training, 10000 to 19999 for tuning, 20000 up for demo and tests.")
    ],
    videos: Annotated[int, typer.Option(help="Number of videos, a sequence of each.")],
    out: Annotated[Path, typer.Option(help="New folder of the sequences.")],
    frames: Annotated[
        int, typer.Option(min=24, help="Frames of each video; a sequence has those with the object.")
    ] = 150,
    hard: Annotated[bool, typer.Option("--hard", help="Faster, with more lookalikes and more occlusion.")] = False,
) -> None:
    """Draw sequences in VOT's form, one object each, with the exact rotated boxes of its outline."""
    from dataclasses import replace

    from rich.progress import Progress

    from vis_pipeline.synthesis.procedural import HARD, NORMAL
    from vis_pipeline.synthesis.procedural.vot_sequences import write_vot_sequences
    from vis_pipeline.terminal import Terminal

    settings = replace(HARD if hard else NORMAL, length=frames)
    with Progress(console=Terminal(stderr=True), transient=True) as progress:
        task = progress.add_task("drawing sequences", total=videos)
        names = write_vot_sequences(out, seed, videos, settings, lambda done: progress.update(task, completed=done))
    echo(f"{out}: {len(names)} sequences")


def to_vot(
    frames: Annotated[Path, typer.Option(help="Folder with one folder of frames a sequence.")],
    masks: Annotated[Path, typer.Option(help="Folder with one folder of PNG masks a sequence; not 0 is the object.")],
    out: Annotated[Path, typer.Option(help="New folder of the sequences.")],
    truth: Annotated[
        Truth, typer.Option(help="The rectangle of least area around a mask, or the one that overlaps it best.")
    ] = Truth.mbr,
    sequences: Annotated[
        Path | None, typer.Option(help="Text file that names the sequences to take, one a line; default: all.")
    ] = None,
) -> None:
    """Write videos with masks in VOT's form; the truth is a rectangle that is made of each mask.

    A sequence that cannot be written is named and left out, and the exit code is 2.
    """
    from vis_pipeline.data.sequence_names import sequence_names
    from vis_pipeline.errors import DataError
    from vis_pipeline.protocols.vot.from_masks import write_from_masks

    made = write_from_masks(frames, masks, sequence_names(frames, sequences, holds="frames"), out, truth.value)
    echo(f"{out}: {len(made.names)} sequences")
    for name, reason in made.left_out.items():
        echo(f"sequence {name}: {reason}", err=True)
    if made.left_out:
        raise DataError(f"{len(made.left_out)} sequences are left out")
