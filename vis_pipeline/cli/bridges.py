"""`vis-pipeline rerun` and `vis-pipeline fiftyone`: a finished run in other people's tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.terminal import echo

if TYPE_CHECKING:
    from vis_pipeline.bridges.finished import FinishedRun

RUN = Annotated[Path, typer.Argument(help="Run folder, as `run --out` made it (need not be complete).")]
FRAMES = Annotated[
    Path | None, typer.Option(help="Folder of the split's frames, or the video. Default: what the run names.")
]
SPLIT = Annotated[Path | None, typer.Option(help="Split with the class names. Default: the run's own.")]
VIDEOS = Annotated[str | None, typer.Option(help="Ids of the videos, as in 1,4,7. Default: all.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("rerun")(rerun)
    app.command("fiftyone")(fiftyone)


def rerun(
    run: RUN,
    file: Annotated[Path, typer.Argument(help="The .rrd to write.")],
    frames: FRAMES = None,
    split: SPLIT = None,
    videos: VIDEOS = None,
) -> None:
    """Write a run as a recording of Rerun: frames, masks, boxes, classes; `rerun FILE` opens it."""
    from vis_pipeline.bridges.extras import extra
    from vis_pipeline.bridges.finished import FinishedRun
    from vis_pipeline.bridges.rerun_file import rerun_file

    extra("rerun", "rerun")
    finished = FinishedRun(run, split, frames)
    chosen = _chosen(finished, videos)
    with rerun_file(file, finished.class_names) as recording:
        for video_id in chosen:
            for frame, tracks in finished.frames(video_id):
                recording.add(finished.name(video_id), frame, tracks)
    echo(f"{len(chosen)} videos, {recording.frames} frames -> {file}")


def fiftyone(
    run: RUN,
    name: Annotated[str, typer.Argument(help="Of the dataset to make.")],
    frames: FRAMES = None,
    split: SPLIT = None,
    videos: VIDEOS = None,
) -> None:
    """Make a dataset of FiftyOne of a run; `fiftyone app launch NAME` opens it."""
    from vis_pipeline.bridges.fiftyone_dataset import make_dataset
    from vis_pipeline.bridges.finished import FinishedRun

    finished = FinishedRun(run, split, frames)
    chosen = _chosen(finished, videos)
    samples = make_dataset(finished, name, chosen)
    echo(f"{len(chosen)} videos, {samples} samples -> FiftyOne's dataset {name}")


def _chosen(finished: "FinishedRun", videos: str | None) -> tuple[int, ...]:
    from vis_pipeline.errors import DataError

    if videos is None:
        return tuple(finished.video_ids)
    try:
        return finished.select([int(part) for part in videos.split(",")])
    except ValueError as error:
        raise DataError(f"--videos {videos}: not a list of video ids such as 1,4,7") from error
