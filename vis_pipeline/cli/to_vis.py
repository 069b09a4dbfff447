"""`vis-pipeline davis-to-vis`, `vos-to-vis` and `coco-to-vis`: data sets in other forms to a YouTube-VIS split."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.terminal import echo

if TYPE_CHECKING:
    from vis_pipeline.structures.splits import Split


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("davis-to-vis")(davis_to_vis)
    app.command("vos-to-vis")(vos_to_vis)
    app.command("coco-to-vis")(coco_to_vis)


_Out = Annotated[Path, typer.Option(help="The split to write (JSON).")]


def davis_to_vis(
    frames: Annotated[Path, typer.Option(help="Folder with one folder of JPEG frames a sequence.")],
    out: _Out,
    masks: Annotated[
        Path | None, typer.Option(help="Folder with one folder of PNG masks a sequence; without it, a test split.")
    ] = None,
    sequences: Annotated[
        Path | None, typer.Option(help="Text file that names the sequences to take, one a line; default: all.")
    ] = None,
    cut_away: Annotated[
        int,
        typer.Option(
            min=0, help="In the middle of each sequence show so many frames of the next one: what leaves, returns."
        ),
    ] = 0,
) -> None:
    """Write a YouTube-VIS split (one category, `object`) for folders laid out as those of DAVIS."""
    from vis_pipeline.data.cut_away import cut_away as with_others_between
    from vis_pipeline.data.davis import davis_split

    split = davis_split(frames, masks, sequences)
    _write(with_others_between(split, cut_away) if cut_away else split, out)


def vos_to_vis(
    meta: Annotated[Path, typer.Option(help="YouTube-VOS's meta.json.")],
    annotations: Annotated[Path, typer.Option(help="Folder with one folder of PNG masks a video.")],
    frames: Annotated[Path, typer.Option(help="Folder with one folder of JPEG frames a video.")],
    out: _Out,
) -> None:
    """Write a YouTube-VIS split for YouTube-VOS (2018, 2019): the frames that have a mask, objects by category."""
    from vis_pipeline.data.youtube_vos import youtube_vos_split

    _write(youtube_vos_split(meta, annotations, frames), out)


def coco_to_vis(
    instances: Annotated[Path, typer.Option(help="COCO file of still pictures.")],
    out: _Out,
    classes: Annotated[
        Path | None, typer.Option(help='JSON: class to its categories, "..." for all others; default: as they are.')
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="One in so many pictures, in the order of their ids.")] = 1,
) -> None:
    """Write a YouTube-VIS split of still pictures, to score detectors on; its frames are the COCO file's images."""
    from dataclasses import replace

    from vis_pipeline.data.class_table import read_class_table, regrouped
    from vis_pipeline.data.coco import read_coco

    split = read_coco(instances)
    kept = {video.id for video in sorted(split.videos, key=lambda video: video.id)[::every]}
    split = replace(
        split,
        videos=tuple(video for video in split.videos if video.id in kept),
        annotations=tuple(entry for entry in split.annotations or () if entry.video_id in kept),
    )
    _write(split if classes is None else regrouped(split, read_class_table(classes)), out)


def _write(split: "Split", out: Path) -> None:
    import json

    from vis_pipeline.data.splits import split_to_json
    from vis_pipeline.files.whole_files import write_text

    write_text(out, json.dumps(split_to_json(split)))
    total = sum(video.length for video in split.videos)
    objects = "no annotations" if split.annotations is None else f"{len(split.annotations)} objects"
    echo(f"{out}: {len(split.videos)} videos, {total} frames, {objects}")
