"""`vis-pipeline visualize`: videos and contact sheets of a run, or of one tracked object."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from vis_pipeline.data.object_track import ObjectTrack
    from vis_pipeline.structures.frames import FrameSource

_SCORE_THR = 0.2
_FONTS_HINT = "fontconfig with Debian's fonts-noto-core, fonts-noto-cjk and libfribidi0 has most"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("visualize")(visualize)


def visualize(
    run: Annotated[
        Path, typer.Argument(help="Run folder, as `run --out` made it (need not be complete), or a file of `sot`.")
    ],
    frames: Annotated[
        Path | None,
        typer.Option(help="Folder of the split's frames, or the video. Default: what the run or the file names."),
    ] = None,
    split: Annotated[Path | None, typer.Option(help="Split with the class names. Default: the run's own.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the pictures go. Default: `pictures` in the run, or beside the file.")
    ] = None,
    videos: Annotated[str | None, typer.Option(help="Ids of the videos to draw, as in 1,4,7. Default: all.")] = None,
    score_thr: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Draw identities of a run with at least this score. Default: 0.2."),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=240, help="Frames per second. Default: when a video file shows them, or 10 a second."
        ),
    ] = None,
) -> None:
    """Draw a run, or one object that `sot` tracked: for each video an mp4 and a contact sheet.

    A run has one colour per identity, and timelines on the sheet. Masks that were only predicted are hatched.

    One object has its mask, rotated and upright box, and score.
    """
    if run.is_file():
        _require_no_run_options(run, split=split, videos=videos, score_thr=score_thr)
        _draw_file(run, frames, out or run.parent / "pictures", fps)
    else:
        _draw_run(
            run, split, frames, out or run / "pictures", videos, _SCORE_THR if score_thr is None else score_thr, fps
        )


def draw_object(track: "ObjectTrack", source: "FrameSource", folder: Path, fps: float | None) -> None:
    """Write the mp4 and the contact sheet of one object into a folder, and say so.

    Raises:
        DataError: the track is not of these frames, they cannot be read, or nothing can be written there.
    """
    from vis_pipeline.visualize.file_names import file_stem
    from vis_pipeline.visualize.object_artist import ObjectArtist
    from vis_pipeline.visualize.renderer import render_video

    length = source.length or len(track.found)
    with _progress() as progress:
        bar = progress.add_task("drawing", total=length)
        target = folder / file_stem(source.name)
        facts = " · ".join(track.facts)
        drawn = render_video(source, ObjectArtist(track), target, fps, length, facts, lambda: progress.advance(bar))
    typer.echo(f"{drawn.frames} frames -> {drawn.mp4}")
    typer.echo(f"contact sheet -> {drawn.sheet}")


def _draw_file(path: Path, frames: Path | None, folder: Path, fps: float | None) -> None:
    from vis_pipeline.data.frames import open_recorded
    from vis_pipeline.data.image_files import is_pattern
    from vis_pipeline.data.object_track import read_object_track
    from vis_pipeline.errors import DataError

    track = read_object_track(path)
    where = frames or track.source
    if where is None:
        raise DataError(f"track {path}: does not say where its frames are; give --frames")
    if not (where.exists() or is_pattern(str(where))):
        raise DataError(f"track {path}: there are no frames at {where}; give --frames")
    try:
        draw_object(track, open_recorded(where, "skip"), folder, fps)
    except DataError as error:
        raise DataError(f"track {path}: {error}") from error


def _require_no_run_options(path: Path, **options: object) -> None:
    from vis_pipeline.errors import ConfigError

    for name, value in options.items():
        if value is not None:
            raise ConfigError(
                f"--{name.replace('_', '-')} {value}: {path} is a file; give that for a run's folder only"
            )


def _draw_run(
    run: Path,
    split: Path | None,
    frames: Path | None,
    folder: Path,
    videos: str | None,
    score_thr: float,
    fps: float | None,
) -> None:
    from rich.console import Console

    from vis_pipeline.visualize.identities import identities
    from vis_pipeline.visualize.renderer import render_video
    from vis_pipeline.visualize.run_videos import RunVideos
    from vis_pipeline.visualize.track_artist import TrackArtist

    console = Console(soft_wrap=True, highlight=False)
    finished = RunVideos(run, split, frames)
    if finished.undrawable_names:
        names = ", ".join(finished.undrawable_names)
        console.print(
            f"warning: no font here has the letters of {names}; drawn as `class` and the id ({_FONTS_HINT})",
            style="yellow",
            markup=False,
        )
    chosen = finished.video_ids if videos is None else finished.select(_video_ids(videos))
    drawn = lost = 0
    with _progress() as progress:
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


@contextmanager
def _progress() -> "Iterator[Progress]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(soft_wrap=True, highlight=False)
    with Progress(*columns, console=console, transient=True) as progress:
        yield progress


def _video_ids(text: str) -> tuple[int, ...]:
    from vis_pipeline.errors import DataError

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise DataError(f"--videos {text}: not a list of video ids such as 1,4,7") from error
