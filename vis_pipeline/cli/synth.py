"""`vis-pipeline synth`: write a procedural YouTube-VIS split and say what it holds."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("synth")(synth)


def synth(
    seed: Annotated[
        int, typer.Option(help="Below 10000 for training, 10000 to 19999 for tuning, 20000 up for demo and tests.")
    ],
    videos: Annotated[int, typer.Option(help="Number of videos, of 24 frames each.")],
    out: Annotated[Path, typer.Option(help="New folder for JPEGImages and instances.json.")],
    hard: Annotated[bool, typer.Option("--hard", help="Faster, with more lookalikes and more occlusion.")] = False,
    crowd: Annotated[bool, typer.Option("--crowd", help="7 to 10 objects, three to five of which look alike.")] = False,
    workers: Annotated[int, typer.Option(help="Processes that draw videos.")] = 1,
) -> None:
    """Make a deterministic split of procedural videos: textured shapes that move, overlap, leave and return."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from vis_pipeline.errors import DataError
    from vis_pipeline.synthesis.procedural import CROWD, HARD, NORMAL, write_split

    if hard and crowd:
        raise DataError("--hard and --crowd are two kinds of video; give one of them")
    preset = HARD if hard else CROWD if crowd else NORMAL
    columns = (TextColumn("drawing videos"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True))
    task = progress.add_task("videos", total=videos)

    with ExitStack() as shown:

        def show(done: int) -> None:
            if done == 0:
                shown.enter_context(progress)
            progress.update(task, completed=done)

        figures = write_split(out, seed, videos, preset, workers, on_progress=show)
    print(f"videos                      {figures.videos}")
    print(f"frames                      {figures.frames}")
    print(f"tracks                      {figures.tracks}")
    print(f"categories                  {figures.categories}")
    print(f"objects per video           {figures.fewest_objects} to {figures.most_objects}")
    print(f"tracks at least half hidden {figures.half_hidden / figures.tracks:.1%}")
    print(f"tracks that leave, return   {figures.returning / figures.tracks:.1%}")
    print(f"videos with a lookalike     {figures.with_lookalike / figures.videos:.1%}")
    print(f"written to {out}")
