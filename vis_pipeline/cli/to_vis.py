"""`vis-pipeline davis-to-vis` and `vos-to-vis`: data sets in other forms to a YouTube-VIS split."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vis_pipeline.structures.splits import Split


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("davis-to-vis")(davis_to_vis)
    app.command("vos-to-vis")(vos_to_vis)


_Out = Annotated[Path, typer.Option(help="The split to write (JSON).")]


def davis_to_vis(
    frames: Annotated[Path, typer.Option(help="Folder with one folder of JPEG frames a sequence.")],
    out: _Out,
    masks: Annotated[
        Path | None, typer.Option(help="Folder with one folder of PNG masks a sequence; without it, a test split.")
    ] = None,
) -> None:
    """Write a YouTube-VIS split (one category, `object`) for folders laid out as those of DAVIS."""
    from vis_pipeline.data.davis import davis_split

    _write(davis_split(frames, masks), out)


def vos_to_vis(
    meta: Annotated[Path, typer.Option(help="YouTube-VOS's meta.json.")],
    annotations: Annotated[Path, typer.Option(help="Folder with one folder of PNG masks a video.")],
    frames: Annotated[Path, typer.Option(help="Folder with one folder of JPEG frames a video.")],
    out: _Out,
) -> None:
    """Write a YouTube-VIS split for YouTube-VOS (2018, 2019): the frames that have a mask, objects by category."""
    from vis_pipeline.data.youtube_vos import youtube_vos_split

    _write(youtube_vos_split(meta, annotations, frames), out)


def _write(split: "Split", out: Path) -> None:
    import json

    from vis_pipeline.data.splits import split_to_json
    from vis_pipeline.files.whole_files import write_text

    write_text(out, json.dumps(split_to_json(split)))
    total = sum(video.length for video in split.videos)
    objects = "no annotations" if split.annotations is None else f"{len(split.annotations)} objects"
    typer.echo(f"{out}: {len(split.videos)} videos, {total} frames, {objects}")
