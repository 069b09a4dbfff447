"""`vis-pipeline report`: a run to look at in the browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.cli.video_list import video_ids

if TYPE_CHECKING:
    from vis_pipeline.structures.splits import Split


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    run: Annotated[Path, typer.Argument(help="Run folder, as `run --out` made it; need not be complete.")],
    ground_truth: Annotated[
        Path | None, typer.Option("--gt", help="YouTube-VIS instances.json with annotations, to compare with.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report. Default: `report` in the run.")] = None,
    videos: Annotated[str | None, typer.Option(help="Ids of the videos to show, as in 1,4,7. Default: all.")] = None,
    score_thr: Annotated[
        float,
        typer.Option(min=0, max=1, help="Least score that counts where frames are compared, and is shown at first."),
    ] = 0.0,
    frames: Annotated[
        Path | None, typer.Option(help="Folder of the split's frames, or the video. Default: what the run names.")
    ] = None,
    split: Annotated[Path | None, typer.Option(help="Split with the class names. Default: the run's own.")] = None,
) -> None:
    """Write a report: a folder whose index.html any browser opens from the disk, without a network.

    The split at a glance, and for each video its frames, identities over time, errors beside the ground truth, and why
    each track is what it is. Corrections by clicks become an edits.json.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from vis_pipeline.data.entries import one_line
    from vis_pipeline.report.folder import Report, Watcher
    from vis_pipeline.terminal import Terminal

    truth = None if ground_truth is None else _ground_truth(ground_truth)
    chosen = None if videos is None else video_ids(videos)
    made = Report(run, out or run / "report", truth, split, frames, chosen, score_thr)
    console = Terminal(soft_wrap=True)
    # Names from the data are no markup.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        all_videos = progress.add_task("videos", total=len(made.video_ids))
        this_video = progress.add_task("frames")
        page = made.write(
            Watcher(
                lambda name, count: progress.reset(this_video, total=count, description=f"frames of {one_line(name)}"),
                lambda: progress.advance(this_video),
                lambda: progress.advance(all_videos),
            )
        )
    count = len(made.video_ids)
    console.print(f"report of {count} video{'s' if count != 1 else ''}; open in a browser: {page}", markup=False)


def _ground_truth(path: Path) -> "Split":
    from vis_pipeline.data.splits import read_split
    from vis_pipeline.errors import DataError

    split = read_split(path)
    if split.annotations is None:
        raise DataError(f"split {path}: a test form without ground truth; give one with annotations")
    return split
