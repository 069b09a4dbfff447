"""`vis-pipeline visualize`: videos and contact sheets of a run."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("visualize")(visualize)


def visualize(
    run: Annotated[Path, typer.Argument(help="Run folder, as `run --out` made it; it need not be complete.")],
    frames: Annotated[
        Path | None, typer.Option(help="Folder of the split's frames, or the video file. Default: the run's own.")
    ] = None,
    split: Annotated[Path | None, typer.Option(help="Split with the class names. Default: the run's own.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the pictures go. Default: RUN/pictures.")] = None,
    videos: Annotated[str | None, typer.Option(help="Ids of the videos to draw, as in 1,4,7. Default: all.")] = None,
    score_thr: Annotated[float, typer.Option(min=0, max=1, help="Draw identities with at least this score.")] = 0.2,
    fps: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=240, help="Frames per second. Default: when a video file shows them, or 10 a second."
        ),
    ] = None,
) -> None:
    """Draw a run: for each video an mp4 with one colour per identity, and a contact sheet with the timelines."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from vis_pipeline.visualize.identities import identities
    from vis_pipeline.visualize.renderer import render_video
    from vis_pipeline.visualize.run_videos import RunVideos
    from vis_pipeline.visualize.track_artist import TrackArtist

    console = Console(soft_wrap=True, highlight=False)
    finished = RunVideos(run, split, frames)
    if finished.undrawable_names:
        names = ", ".join(finished.undrawable_names)
        console.print(
            f"warning: the font has no letters for {names}; drawn as `class` and the id", style="yellow", markup=False
        )
    chosen = finished.video_ids if videos is None else finished.select(_video_ids(videos))
    folder = out or run / "pictures"
    drawn = lost = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        all_videos = progress.add_task("videos", total=len(chosen))
        this_video = progress.add_task("frames")
        for video_id in chosen:
            video = finished.open(video_id)
            shown = identities(video.tracks, finished.class_names, score_thr, video.predicted)
            stem = finished.file_stem(video_id)
            progress.reset(this_video, total=video.length, description=f"frames of {stem}")
            rendered = render_video(
                video.source,
                TrackArtist(shown),
                folder / stem,
                fps,
                video.length,
                f"{len(shown)} of {len(video.tracks)} identities (score ≥ {score_thr:.2f})",
                lambda: progress.advance(this_video),
            )
            drawn += rendered.frames
            lost += rendered.lost
            progress.advance(all_videos)
    count = f"{len(chosen)} video{'s' if len(chosen) != 1 else ''}, {drawn} frames"
    console.print(f"drew {count}{f' ({lost} could not be read)' if lost else ''}", markup=False)
    console.print(f"  videos          {folder}/*.mp4", markup=False)
    console.print(f"  contact sheets  {folder}/*.png", markup=False)


def _video_ids(text: str) -> tuple[int, ...]:
    from vis_pipeline.errors import DataError

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise DataError(f"--videos {text}: not a list of video ids such as 1,4,7") from error
