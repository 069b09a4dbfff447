"""`vis-pipeline visualize`: videos and contact sheets of a run, or of one tracked object."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.cli.video_list import video_ids
from vis_pipeline.terminal import echo

if TYPE_CHECKING:
    from rich.progress import Progress

    from vis_pipeline.data.object_track import ObjectTrack
    from vis_pipeline.structures.frames import FrameSource
    from vis_pipeline.visualize.pictures import Form, Pictures
    from vis_pipeline.visualize.renderer import RenderedVideo
    from vis_pipeline.visualize.run_view import Wishes
    from vis_pipeline.visualize.style import Style

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
    forms: Annotated[
        str, typer.Option("--as", help="Kinds of pictures: mp4, gif, frames (PNG files), sheet (a contact sheet).")
    ] = "mp4,sheet",
    gt: Annotated[
        Path | None, typer.Option(help="Ground truth, drawn on a second panel in the colours of the identities.")
    ] = None,
    videos: Annotated[str | None, typer.Option(help="Ids of the videos to draw, as in 1,4,7. Default: all.")] = None,
    ids: Annotated[
        str | None, typer.Option(help="Identities of a run to draw, by the numbers of their labels, as in 1,3.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Classes of a run to draw, by names or ids, as in person,dog or 1,18.")
    ] = None,
    score_thr: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Draw identities of a run with at least this score. Default: 0.2, or 0 with --ids."
        ),
    ] = None,
    only_frames: Annotated[
        str | None,
        typer.Option(help="Frames to draw, from 0, as in 20:60 (60 is not drawn), ::5 or 3,17,40. Default: all."),
    ] = None,
    draw: Annotated[
        str | None,
        typer.Option(
            help="What is drawn: fill, contour, boxes, trails, labels, caption. "
            "Default: all but trails, and boxes only of one object."
        ),
    ] = None,
    opacity: Annotated[float, typer.Option(min=0, max=1, help="Of fills.")] = 0.42,
    trail: Annotated[int, typer.Option(min=2, help="Frames over which a trail goes.")] = 20,
    width: Annotated[
        int | None,
        typer.Option(
            min=16, max=16384, help="Of a frame in mp4, GIF and PNG, in pixels. Default: PNGs have the frame's own."
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=240, help="Frames per second. Default: when a video file shows them, or 10 a second."
        ),
    ] = None,
) -> None:
    """Draw a run, or one object that `sot` tracked: for each video an mp4 and a contact sheet, or what --as says.

    A run has one colour per identity, and timelines on the sheet. Masks that were only predicted are hatched.

    One object has its mask, rotated and upright box, and score.
    """
    from dataclasses import replace

    from vis_pipeline.visualize.frame_choice import EVERY_FRAME, frame_choice
    from vis_pipeline.visualize.pictures import Pictures, forms_from_text
    from vis_pipeline.visualize.run_view import Wishes
    from vis_pipeline.visualize.style import OBJECT_STYLE, TRACK_STYLE, parts_from_text

    only = EVERY_FRAME if only_frames is None else frame_choice(only_frames)
    pictures = Pictures(forms_from_text(forms), width, fps, only)
    usual = OBJECT_STYLE if run.is_file() else TRACK_STYLE
    parts = usual.parts if draw is None else parts_from_text(draw)
    style = replace(usual, parts=parts, opacity=opacity, trail=trail)
    if run.is_file():
        _require_no_run_options(run, split=split, videos=videos, score_thr=score_thr, gt=gt, ids=ids, classes=classes)
        _draw_file(run, frames, out or run.parent / "pictures", pictures, style)
    else:
        _draw_run(
            _RunOptions(run, split, frames, gt, videos, Wishes(ids, classes, score_thr)),
            out or run / "pictures",
            pictures,
            style,
        )


def draw_object(
    track: "ObjectTrack",
    source: "FrameSource",
    folder: Path,
    pictures: "Pictures | None" = None,
    style: "Style | None" = None,
) -> None:
    """Write the pictures of one object into a folder, an mp4 and a contact sheet by default, and say so.

    Raises:
        DataError: the track is not of these frames, they cannot be read, or nothing can be written there.
    """
    from vis_pipeline.files.file_names import file_stem
    from vis_pipeline.visualize.object_artist import ObjectArtist
    from vis_pipeline.visualize.pictures import MP4_AND_SHEET, Form
    from vis_pipeline.visualize.renderer import render_video
    from vis_pipeline.visualize.style import OBJECT_STYLE

    pictures = pictures or MP4_AND_SHEET
    length = source.length or len(track.found)
    pictures.only.require_some([length], source.name)
    with _progress() as progress:
        bar = progress.add_task("drawing", total=length)
        target = folder / file_stem(source.name)
        artist = ObjectArtist(track, style or OBJECT_STYLE)
        facts = " · ".join(track.facts)
        drawn = render_video(source, artist, target, length, pictures, facts, lambda: progress.advance(bar))
    for form, path in drawn.files.items():
        if form is Form.SHEET:
            echo(f"contact sheet -> {path}")
        else:
            echo(f"{drawn.frames} frames -> {path}{_extent(drawn, form)}")


def _draw_file(path: Path, frames: Path | None, folder: Path, pictures: "Pictures", style: "Style") -> None:
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
        draw_object(track, open_recorded(where, "skip"), folder, pictures, style)
    except DataError as error:
        raise DataError(f"track {path}: {error}") from error


def _require_no_run_options(path: Path, **options: object) -> None:
    from vis_pipeline.errors import ConfigError

    for name, value in options.items():
        if value is not None:
            raise ConfigError(
                f"--{name.replace('_', '-')} {value}: {path} is a file; give that for a run's folder only"
            )


@dataclass(frozen=True)
class _RunOptions:
    """What was asked for of a run."""

    run: Path
    split: Path | None
    frames: Path | None
    gt: Path | None
    videos: str | None
    wishes: "Wishes"


def _draw_run(asked: _RunOptions, folder: Path, pictures: "Pictures", style: "Style") -> None:
    from vis_pipeline.terminal import Terminal
    from vis_pipeline.visualize.ground_truth import GroundTruth
    from vis_pipeline.visualize.renderer import render_video
    from vis_pipeline.visualize.run_videos import RunVideos
    from vis_pipeline.visualize.run_view import run_view

    console = Terminal(soft_wrap=True)
    finished = RunVideos(asked.run, asked.split, asked.frames)
    if finished.undrawable_names:
        names = ", ".join(name if name.isprintable() else ascii(name) for name in finished.undrawable_names)
        console.print(
            f"warning: no font here has the letters of {names}; drawn as `class` and the id ({_FONTS_HINT})",
            style="yellow",
            markup=False,
        )
    chosen = finished.video_ids if asked.videos is None else finished.select(video_ids(asked.videos))
    view = run_view(finished, chosen, asked.wishes, style, None if asked.gt is None else GroundTruth(asked.gt))
    lengths = {video_id: finished.outcome(video_id).length for video_id in chosen} if pictures.only.ranges else {}
    if lengths:
        pictures.only.require_some(lengths.values(), f"run folder {asked.run}")
        chosen = tuple(video_id for video_id in chosen if pictures.only.of(lengths[video_id]))
    made: list[RenderedVideo] = []
    with _progress() as progress:
        all_videos = progress.add_task("videos", total=len(chosen))
        this_video = progress.add_task("frames")
        for video_id in chosen:
            video = finished.open(video_id)
            artist, facts = view.artist(video)
            stem = finished.file_stem(video_id)
            progress.reset(this_video, total=video.length, description=f"frames of {stem}")
            made.append(
                render_video(
                    video.source,
                    artist,
                    folder / stem,
                    video.length,
                    pictures,
                    facts,
                    lambda: progress.advance(this_video),
                )
            )
            progress.advance(all_videos)
    for line in _summary(made, folder):
        console.print(line, markup=False)


def _summary(made: "Sequence[RenderedVideo]", folder: Path) -> "Iterator[str]":
    """What was drawn, and where it is."""
    from vis_pipeline.visualize.pictures import Form

    lost = sum(rendered.lost for rendered in made)
    count = f"{len(made)} video{'s' if len(made) != 1 else ''}, {sum(rendered.frames for rendered in made)} frames"
    yield f"drew {count}{f' ({lost} could not be read)' if lost else ''}"
    kinds = {
        Form.MP4: ("videos", "*.mp4"),
        Form.GIF: ("gifs", "*.gif"),
        Form.FRAMES: ("frames", "*_frames/*.png"),
        Form.SHEET: ("contact sheets", "*.png"),
    }
    for form, (name, pattern) in kinds.items():
        if form in made[0].files:
            largest = max(made, key=lambda rendered: rendered.files[form].stat().st_size)
            size = _extent(largest, form, "at most ") if form is Form.GIF else ""
            yield f"  {name:<16}{folder}/{pattern}{size}"


def _extent(drawn: "RenderedVideo", form: "Form", qualifier: str = "") -> str:
    """Width, height and bytes of one of a video's files, for the end of a line; nothing for a folder."""
    path = drawn.files[form]
    if not path.is_file():
        return ""
    width, height = drawn.sizes[form]
    return f" ({qualifier}{path.stat().st_size / 1e6:.1f} MB, {width}x{height})"


@contextmanager
def _progress() -> "Iterator[Progress]":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from vis_pipeline.terminal import Terminal

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Terminal(soft_wrap=True)
    with Progress(*columns, console=console, transient=True) as progress:
        yield progress
