"""`vis-pipeline davis-to-vis`: DAVIS-style folders to a YouTube-VIS split."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("davis-to-vis")(davis_to_vis)


def davis_to_vis(
    frames: Annotated[Path, typer.Option(help="Folder with one folder of JPEG frames a sequence.")],
    out: Annotated[Path, typer.Option(help="The split to write (JSON).")],
    masks: Annotated[
        Path | None, typer.Option(help="Folder with one folder of PNG masks a sequence; without it, a test split.")
    ] = None,
) -> None:
    """Write a YouTube-VIS split (one category, `object`) for folders laid out as those of DAVIS."""
    import json

    from vis_pipeline.data.davis import davis_split
    from vis_pipeline.data.youtube_vis import split_to_json
    from vis_pipeline.run_folder import write_text

    split = davis_split(frames, masks)
    write_text(out, json.dumps(split_to_json(split)))
    total = sum(video.length for video in split.videos)
    objects = "no annotations" if split.annotations is None else f"{len(split.annotations)} objects"
    typer.echo(f"{out}: {len(split.videos)} videos, {total} frames, {objects}")
