"""`vis-pipeline split`: one's own videos as a YouTube-VIS split."""

from pathlib import Path
from typing import Annotated

import typer

from vis_pipeline.cli.run import DEFAULT_PIPELINE, OnBadFrame
from vis_pipeline.errors import ConfigError
from vis_pipeline.terminal import echo


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("split")(split)


def split(
    videos: Annotated[
        list[Path], typer.Argument(help="Video files, folders of images, and patterns in quotes.", metavar="VIDEO...")
    ],
    out: Annotated[Path, typer.Option(help="The split to write (JSON).")],
    categories: Annotated[
        str | None, typer.Option(help="Names of the classes, ids from 1: A,B,C or a text file with one a line.")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(help="Without --categories: the classes of this pipeline's detector (real_small)."),
    ] = None,
    frames_out: Annotated[
        Path | None, typer.Option(help="Folder for the frames of video files, as JPEGs; default: beside the split.")
    ] = None,
    on_bad_frame: Annotated[
        OnBadFrame, typer.Option(help="Stop, or go on without the frame's image.")
    ] = OnBadFrame.ERROR,
    cfg_options: Annotated[list[str] | None, typer.Option(help="Override a config key: a.b=value; repeatable.")] = None,
) -> None:
    """Write a split of videos (no annotations) for `run --split`; it prints what to give as --frames."""
    import json

    from vis_pipeline.data.own_split import named_categories, own_split
    from vis_pipeline.data.splits import split_to_json
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.runs.progress import ProgressBar

    if categories is not None and (config is not None or cfg_options):
        raise ConfigError("split: give the classes by --categories, or by --config (with --cfg-options)")
    if categories is not None:
        classes = named_categories(categories)
    else:
        from vis_pipeline.runs.settings import load_pipeline

        classes = load_pipeline(config or DEFAULT_PIPELINE, cfg_options or []).detector.categories()
    frames_out = frames_out or out.with_name(f"{out.stem}_frames")
    with ProgressBar() as progress:
        progress.start(dict.fromkeys(range(1, len(videos) + 1)), 0)
        made = own_split(videos, classes, frames_out, on_bad_frame.value, progress.advance)
    write_text(out, json.dumps(split_to_json(made.split)))
    for note in made.notes:
        echo(f"warning: {note}", err=True)
    total = sum(video.length for video in made.split.videos)
    echo(f"{out}: {len(made.split.videos)} videos, {total} frames, {len(classes)} categories")
    echo(f"frames  {made.frames}")
