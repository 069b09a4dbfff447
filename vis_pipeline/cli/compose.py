"""`vis-pipeline compose`: write a YouTube-VIS split of real cut-outs that move over real frames."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.terminal import echo

if TYPE_CHECKING:
    from vis_pipeline.synthesis.composed import ComposeSettings

_LEAST_SIDE = 32
_FEWEST_FRAMES = 2


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("compose")(compose)


def compose(
    backgrounds: Annotated[
        list[Path],
        typer.Option(help="Folder of images, flat or nested, or a YouTube-VIS split; may be given several times."),
    ],
    out: Annotated[Path, typer.Option(help="New folder for JPEGImages and instances.json.")],
    instances: Annotated[
        list[Path] | None, typer.Option(help="COCO file with instances to cut out; may be given several times.")
    ] = None,
    images: Annotated[
        list[Path] | None, typer.Option(help="Folder of the images of --instances; one for each, in their order.")
    ] = None,
    sprites: Annotated[Path | None, typer.Option(help="Folder of PNG or WebP files with an alpha channel.")] = None,
    sprite_classes: Annotated[
        str, typer.Option(help="A sprite's class: its `folder` (without one: sprite), or its `name` less the number.")
    ] = "folder",
    without: Annotated[
        str | None,
        typer.Option(help="Names of photographs (files) and sequences (folders) to leave out, with commas."),
    ] = None,
    one_class: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Write all objects as this class, those of backgrounds of any class, too."),
    ] = None,
    videos: Annotated[int, typer.Option(help="Number of videos.")] = 20,
    frames: Annotated[int, typer.Option(help="Frames of a video.")] = 24,
    size: Annotated[str, typer.Option(help="Frame size, WIDTHxHEIGHT.")] = "320x192",
    seed: Annotated[int, typer.Option(help="The same seed and inputs give the same bytes.")] = 0,
    least_pixels: Annotated[int, typer.Option(min=1, help="Smallest area of an instance that is cut out.")] = 1500,
    hard: Annotated[bool, typer.Option("--hard", help="Faster, with more lookalikes, occlusion and blur.")] = False,
    crowd: Annotated[
        bool,
        typer.Option("--crowd", help="5 to 8 cut-outs of at most two classes that cross, hide each other and part."),
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes that compose videos.")] = 1,
) -> None:
    """Turn still images into training videos: their objects move, overlap, leave and return before real frames.

    Objects annotated in a background keep their masks and become tracks too.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from vis_pipeline.synthesis.composed import open_inputs, write_split
    from vis_pipeline.terminal import Terminal

    settings = _settings(size, frames, least_pixels, hard, crowd)
    left_out = [name.strip() for name in without.split(",")] if without else []
    inputs = open_inputs(
        settings, backgrounds, instances or (), images or (), sprites, sprite_classes, left_out, one_class
    )
    columns = (TextColumn("composing videos"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Terminal(stderr=True))
    task = progress.add_task("videos", total=videos)
    with ExitStack() as shown:

        def show(done: int) -> None:
            if done == 0:
                shown.enter_context(progress)
            progress.update(task, completed=done)

        figures = write_split(out, inputs.library, inputs.backgrounds, seed, videos, settings, workers, show, one_class)
    echo(f"videos                      {figures.videos}")
    echo(f"frames                      {figures.frames}")
    echo(f"tracks                      {figures.tracks}")
    echo(f"categories                  {figures.categories}")
    echo(f"objects per video           {figures.fewest_objects} to {figures.most_objects}")
    echo(f"frames where a track hides  {figures.hidden_frames:.1%}")
    echo(f"tracks at least half hidden {figures.half_hidden / max(figures.tracks, 1):.1%}")
    echo(f"tracks that leave, return   {figures.returning / max(figures.tracks, 1):.1%}")
    echo(f"videos with a lookalike     {figures.with_lookalike / figures.videos:.1%}")
    echo(f"written to {out}")


def _settings(size: str, frames: int, least_pixels: int, hard: bool, crowd: bool) -> "ComposeSettings":
    from dataclasses import replace

    from vis_pipeline.errors import DataError
    from vis_pipeline.synthesis.composed import CROWD, HARD, NORMAL

    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= _LEAST_SIDE):
        raise DataError(f"--size {size}: not WIDTHxHEIGHT with sides of at least {_LEAST_SIDE} pixels, as in 320x192")
    if frames < _FEWEST_FRAMES:
        raise DataError(f"--frames {frames}: must be at least {_FEWEST_FRAMES}")
    if hard and crowd:
        raise DataError("--hard and --crowd are two kinds of video; give one of them")
    preset = HARD if hard else CROWD if crowd else NORMAL
    return replace(preset, width=int(width), height=int(height), length=frames, least_pixels=least_pixels)
