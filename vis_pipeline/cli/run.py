"""`vis-pipeline run`: a split, or one ordinary video, through a pipeline."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vis_pipeline.errors import ConfigError
from vis_pipeline.terminal import echo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from vis_pipeline.data.limits import Limits
    from vis_pipeline.runs.parallel import RunReport
    from vis_pipeline.runs.worker import Watcher

DEFAULT_PIPELINE = "real_small"
_SHOWN_NOTES = 5


class OnBadFrame(str, Enum):
    """What to do at a frame that cannot be read."""

    ERROR = "error"
    SKIP = "skip"


class Keep(str, Enum):
    """What to do with the frames of a live source for which there is no time."""

    LATEST = "latest"
    ALL = "all"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    out: Annotated[Path, typer.Option(help="Run folder; a rerun goes on where the last one stopped.")],
    config: Annotated[
        str, typer.Argument(help="Pipeline config: a file, or a packaged name; real_small is for ordinary video.")
    ] = DEFAULT_PIPELINE,
    split: Annotated[Path | None, typer.Option(help="YouTube-VIS instances.json; annotations are not used.")] = None,
    frames: Annotated[Path | None, typer.Option(help="Folder that the split's file names start from.")] = None,
    video: Annotated[
        str | None,
        typer.Option(
            help="One video: a file, a folder of images, a pattern ('frames/*.jpg', quoted), the index of a camera (0) "
            "or an address (rtsp://..., http://...)."
        ),
    ] = None,
    live: Annotated[
        Keep, typer.Option(help="Where a camera or stream is faster than this: drop its frames, or make it wait.")
    ] = Keep.LATEST,
    reconnect: Annotated[
        int, typer.Option(min=0, help="Tries to reach a stream again, after 1, 2, 4, ... 30 seconds.")
    ] = 5,
    save_frames: Annotated[
        bool, typer.Option("--save-frames", help="Keep the frames of a camera or stream, for `visualize`.")
    ] = False,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Of --video, read no more frames.")] = None,
    max_seconds: Annotated[
        float | None, typer.Option(min=0.001, help="Of --video, read no more than its first seconds.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Open a window on --video with the tracks as they come; q closes it.")
    ] = False,
    rerun: Annotated[
        Path | None, typer.Option(help="Also write the frames of --video with their tracks to this .rrd, for Rerun.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; default: cuda where there is one.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes for a split, each with its own models.")] = 1,
    lockstep: Annotated[
        str,
        typer.Option(
            metavar="N|auto",
            help="Videos of a split that a worker advances together, in shared batches; auto: by the GPU's memory.",
        ),
    ] = "1",
    checkpoint_every: Annotated[
        int, typer.Option(min=1, help="Frames of a video after which what is done of it is kept, to go on from.")
    ] = 200,
    gpus_per_worker: Annotated[
        float | None, typer.Option(min=0, help="May be a fraction; default: the GPUs here, shared out.")
    ] = None,
    ray_address: Annotated[str | None, typer.Option(help="Of a running Ray cluster; default: this machine.")] = None,
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds without a sign of life after which a worker is replaced.")
    ] = 600.0,
    detections: Annotated[
        Path | None, typer.Option(help="A file, or a run's folder, in place of the detector.")
    ] = None,
    class_map: Annotated[
        str | None,
        typer.Option(
            help="by-name, agnostic, a JSON file; for named classes also common, coco- or everyday-to-ytvis2019|2021."
        ),
    ] = None,
    save_detections: Annotated[bool, typer.Option("--save-detections", help="Also write detections.json.")] = False,
    score_thr: Annotated[float | None, typer.Option(min=0, max=1, help="Drop detections below this score.")] = None,
    on_bad_frame: Annotated[
        OnBadFrame, typer.Option(help="Stop, or give null masks and a log line.")
    ] = OnBadFrame.ERROR,
    seed: Annotated[int, typer.Option(min=0, help="Of the workers.")] = 0,
    deterministic: Annotated[
        bool | None,
        typer.Option(
            "--deterministic/--no-deterministic",
            help="On the CPU the same bytes with any number of workers and threads and any batch; default: unless "
            "tracker.precision is fast.",
        ),
    ] = None,
    cfg_options: Annotated[list[str] | None, typer.Option(help="Override a config key: a.b=value; repeatable.")] = None,
) -> None:
    """Detect, track and write results.json; a split goes over Ray workers, a single video runs in this process."""
    from vis_pipeline.data.limits import Limits
    from vis_pipeline.data.live import LiveOptions
    from vis_pipeline.runs.parallel import RaySettings
    from vis_pipeline.runs.progress import ProgressBar
    from vis_pipeline.runs.settings import load_pipeline
    from vis_pipeline.runs.start import RecordedSource, RunOptions, run_split, run_video
    from vis_pipeline.settings.device import gpu_share, torch_device

    limits, together = Limits(max_frames, max_seconds), _together(lockstep)
    _require_together(split, frames, video, class_map, limits, save_frames, show, rerun, together)
    overrides = list(cfg_options or [])
    if score_thr is not None:
        overrides.append(f"detector.score_threshold={score_thr}")
    if class_map is not None and detections is None:
        overrides.append(f"detector.class_map={class_map}")
    settings = load_pipeline(config, overrides)
    # On a cluster the driver need not have a GPU: that one is asked for says that the workers have.
    device = device or ("cuda" if ray_address and gpus_per_worker else torch_device(None).type)
    gpus = gpu_share(device, workers) if gpus_per_worker is None else gpus_per_worker
    if gpus and ":" in device:
        raise ConfigError(
            f"run: Ray chooses the card where --gpus-per-worker is given; give --device cuda, not {device}"
        )
    options = RunOptions(
        device=device,
        seed=seed,
        on_bad_frame=on_bad_frame.value,
        recorded=RecordedSource(detections.resolve(), class_map) if detections else None,
        save_detections=save_detections,
        checkpoint_every=checkpoint_every,
        deterministic=deterministic,
        ray=RaySettings(workers, ray_address, gpus, lockstep=together, timeout=timeout),
        limits=limits,
        live=LiveOptions(keep=live.value, reconnect=reconnect),
        save_frames=save_frames,
        showing=_showing(show, rerun),
    )
    if video is not None and detections is None:
        _say_what_it_knows(settings.detector.checkpoint)
    with ProgressBar() as progress:
        if video is not None:
            report = run_video(settings, video, out, options, progress)
        else:
            assert split is not None and frames is not None
            report = run_split(settings, split, frames, out, options, progress)
    _tell(report, out)
    report.require_complete()


def _together(lockstep: str) -> int:
    """Videos at a time; 0 stands for auto."""
    if lockstep == "auto":
        return 0
    if not (lockstep.isdecimal() and int(lockstep) > 0):
        raise ConfigError(f"run: --lockstep {lockstep}: give a number from 1 on, or auto")
    return int(lockstep)


def _require_together(
    split: Path | None,
    frames: Path | None,
    video: str | None,
    class_map: str | None,
    limits: "Limits",
    save_frames: bool,
    show: bool,
    rerun: Path | None,
    lockstep: int,
) -> None:
    if (video is None) == (split is None):
        raise ConfigError("run: give either --split (with --frames) or --video")
    if (split is None) != (frames is None):
        raise ConfigError("run: --split and --frames belong together")
    if video is not None and class_map is not None:
        raise ConfigError("run: --class-map needs --split; a single video has the detector's own classes")
    if video is not None and lockstep != 1:
        raise ConfigError("run: --lockstep needs --split; a single video has no others to advance with")
    if split is not None and show:
        raise ConfigError("run: --show needs --video; the videos of a split are worked on in other processes")
    if split is not None and rerun is not None:
        raise ConfigError("run: --rerun needs --video; `vis-pipeline rerun` writes the finished videos of a split")
    if split is not None and save_frames:
        raise ConfigError("run: --save-frames is for live sources (--video)")
    if split is not None and limits:
        raise ConfigError("run: --max-frames and --max-seconds need --video; a split's videos are taken whole")


def _showing(
    window: bool, rerun: "Path | None"
) -> "Callable[[Mapping[int, str]], AbstractContextManager[Watcher]] | None":
    from functools import partial

    from vis_pipeline.runs.watchers import all_of

    wanted: list[Callable[[Mapping[int, str]], AbstractContextManager[Watcher]]] = []
    if window:
        from vis_pipeline.visualize.live_view import in_a_window
        from vis_pipeline.visualize.window import require_window

        require_window()
        wanted.append(partial(in_a_window, "vis-pipeline"))
    if rerun is not None:
        from vis_pipeline.bridges.extras import extra
        from vis_pipeline.bridges.rerun_file import into_rerun_file

        extra("rerun", "rerun")
        wanted.append(partial(into_rerun_file, rerun))
    return partial(all_of, wanted) if wanted else None


def _tell(report: "RunReport", out: Path) -> None:
    from vis_pipeline.terminal import Terminal

    console = Terminal(soft_wrap=True)
    speed = f", {report.frames / report.seconds:.1f} frames/s" if report.frames else ""
    console.print(f"{len(report.finished)} videos, {report.frames} frames in {report.seconds:.1f} s{speed}")
    console.print(f"results  {out / 'results.json'}", markup=False)
    _warn(report.notes)


def _say_what_it_knows(checkpoint: str) -> None:
    """A word on what the bundled weights do not do, where they are used."""
    from vis_pipeline.weights.registry import BUNDLED

    for weights in BUNDLED.values():
        if checkpoint == weights.reference:
            echo(f"note: the detector is {checkpoint}: {weights.limits}", err=True)


def _warn(notes: "Mapping[int, Sequence[str]]") -> None:
    """The first note of a few videos; log.txt has all."""
    for video_id, lines in list(notes.items())[:_SHOWN_NOTES]:
        more = f" (and {len(lines) - 1} more in log.txt)" if len(lines) > 1 else ""
        echo(f"warning: video {video_id}: {lines[0]}{more}", err=True)
    if len(notes) > _SHOWN_NOTES:
        echo(f"warning: {len(notes) - _SHOWN_NOTES} more videos with notes in log.txt", err=True)
