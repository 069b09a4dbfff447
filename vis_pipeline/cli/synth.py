"""`vis-pipeline synth`: write a procedural YouTube-VIS split and say what it holds."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from vis_pipeline.terminal import echo


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("synth")(synth)


def synth(
    seed: Annotated[
        int, typer.Option(help="Below 10000 for training, 10000 to 19999 for tuning, 20000 up for demo and tests.")
    ],
    videos: Annotated[int, typer.Option(help="Number of videos, of 24 frames each, with --returns of 200.")],
    out: Annotated[Path, typer.Option(help="New folder for JPEGImages and instances.json.")],
    hard: Annotated[bool, typer.Option("--hard", help="Faster, with more lookalikes and more occlusion.")] = False,
    crowd: Annotated[bool, typer.Option("--crowd", help="7 to 10 objects, three to five of which look alike.")] = False,
    returns: Annotated[
        bool,
        typer.Option("--returns", help="Long: objects are away for 5 to 90 frames while their lookalikes stay."),
    ] = False,
    frames: Annotated[
        int | None, typer.Option(min=200, help="With --returns: frames of each video; default: 200.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that draw videos.")] = 1,
) -> None:
    """Make a deterministic split of procedural videos: textured shapes that move, overlap, leave and return."""
    from dataclasses import replace

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from vis_pipeline.errors import DataError
    from vis_pipeline.synthesis.procedural import CROWD, HARD, NORMAL, RETURNS, write_split
    from vis_pipeline.terminal import Terminal

    asked = [name for name, given in (("--hard", hard), ("--crowd", crowd), ("--returns", returns)) if given]
    if len(asked) > 1:
        raise DataError(f"{' and '.join(asked)} are different kinds of video; give one of them")
    if frames is not None and not returns:
        raise DataError("--frames is for --returns; videos of other kinds have 24 frames")
    long = replace(RETURNS, length=frames or RETURNS.length)
    preset = long if returns else HARD if hard else CROWD if crowd else NORMAL
    columns = (TextColumn("drawing videos"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Terminal(stderr=True))
    task = progress.add_task("videos", total=videos)

    with ExitStack() as shown:

        def show(done: int) -> None:
            if done == 0:
                shown.enter_context(progress)
            progress.update(task, completed=done)

        figures = write_split(out, seed, videos, preset, workers, on_progress=show)
    echo(f"videos                      {figures.videos}")
    echo(f"frames                      {figures.frames}")
    echo(f"tracks                      {figures.tracks}")
    echo(f"categories                  {figures.categories}")
    echo(f"objects per video           {figures.fewest_objects} to {figures.most_objects}")
    echo(f"tracks at least half hidden {figures.half_hidden / figures.tracks:.1%}")
    echo(f"tracks that leave, return   {figures.returning / figures.tracks:.1%}")
    echo(f"videos with a lookalike     {figures.with_lookalike / figures.videos:.1%}")
    echo(f"written to {out}")
