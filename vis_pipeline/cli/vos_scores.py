"""`vis-pipeline vos-scores`: results of YouTube-VOS, scored as its server does."""

from pathlib import Path
from typing import Annotated

import typer

from vis_pipeline.errors import DataError
from vis_pipeline.terminal import echo


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("vos-scores")(vos_scores)


def vos_scores(
    results: Annotated[Path, typer.Argument(help="Folder of PNG masks a video, or one whose Annotations they are in.")],
    gt: Annotated[Path, typer.Option("--gt", help="A set with its ground truth: meta.json and Annotations.")],
    seen: Annotated[
        Path | None,
        typer.Option(help="meta.json of the training set, or a text file: the classes that are seen, one a line."),
    ] = None,
    videos: Annotated[Path | None, typer.Option(help="Text file, one video a line. Default: all of --gt.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the scores to this file as well.")] = None,
) -> None:
    """Score masks as YouTube-VOS does: J and F over objects of seen and of unseen classes, and the mean of the four.

    A video that cannot be scored is named and left out, and the exit code is 2.
    """
    import json

    from evaluation.youtube_vos_folders import folder_scores, seen_classes
    from evaluation.youtube_vos_tables import youtube_vos_table
    from vis_pipeline.data.sequence_names import listed_names
    from vis_pipeline.files.whole_files import write_text
    from vis_pipeline.terminal import Terminal

    wanted = None if videos is None else listed_names(videos)
    scores = folder_scores(results, gt, wanted, None if seen is None else seen_classes(seen))
    Terminal().print(youtube_vos_table(scores))
    if json_out is not None:
        write_text(json_out, json.dumps(scores.to_json(), indent=2) + "\n")
    for name, reason in scores.left_out.items():
        echo(f"video {name}: {reason}", err=True)
    if scores.left_out:
        total = len(scores.left_out) + len(scores.videos)
        raise DataError(f"{len(scores.left_out)} of {total} videos are not scored; the figures are without them")
