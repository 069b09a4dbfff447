"""What it costs to spread videos over processes: the same split in a plain loop and by Ray, each in a fresh process."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from vis_pipeline.files.json_files import read_json
from vis_pipeline.process_pool import process_pool
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.parallel import RaySettings, RunReport, VideoTask, Worker, run_in_process
from vis_pipeline.runs.progress import ProgressListener
from vis_pipeline.runs.settings import PipelineSettings
from vis_pipeline.runs.start import RunOptions, run_split
from vis_pipeline.settings.device import gpu_share


@dataclass(frozen=True)
class Job:
    """A split to run over."""

    settings: PipelineSettings
    split: Path
    frames: Path
    options: RunOptions


@dataclass(frozen=True)
class Timing:
    """One run; all times in seconds.

    Attributes:
        frames, videos: that were finished.
        before: from the start of the process until it knows of the first frame, which with Ray may be a quarter of a
            second later than the frame.
        running: from when a worker takes up the first video until the last one is stored.
        in_frames: of `running`, what all workers spent on frames, from reading them to writing their masks down.
        whole: from the start of the process to its end.
        again: the same where every video is finished.
    """

    frames: int
    videos: int
    before: float
    running: float
    in_frames: float
    whole: float
    again: float


@dataclass(frozen=True)
class RunCost:
    """One way of running a split; medians of its runs.

    Attributes:
        name: of the way.
        workers: processes that work on videos.
        frames_per_second: without the start.
        slowest, fastest: of the runs, in frames a second.
        before, whole, again: see :class:`Timing`.
        per_video: seconds that a video costs a worker besides its frames: waiting for it, storing it, and its part of
            the time at the beginning and the end in which other workers have something to do and this one has not.
    """

    name: str
    workers: int
    frames_per_second: float
    slowest: float
    fastest: float
    before: float
    per_video: float
    whole: float
    again: float


def compare(
    job: Job, workers: Sequence[int], repeats: int, folder: Path, on_run: Callable[[str], None] = lambda name: None
) -> list[RunCost]:
    """Run a split in a plain loop and by Ray with so many workers, in turn, `repeats` times.

    `on_run` is told what is about to run. The runs are written into `folder`.

    Raises:
        UserError: as :func:`~vis_pipeline.runs.start.run_split`.
        DataError: a video cannot be processed.
    """
    ways: dict[str, int | None] = {"plain loop": None}
    ways |= {f"Ray, {count} worker{'s' if count > 1 else ''}": count for count in workers}
    timings: dict[str, list[Timing]] = {name: [] for name in ways}
    for repeat in range(repeats):
        for name, count in ways.items():
            on_run(name)
            timings[name].append(_timed(job, count, folder / f"{count or 'plain'}-{repeat}"))
    return [_cost(name, count or 1, timings[name]) for name, count in ways.items()]


@dataclass
class _Clock:
    """A progress listener that notes when the first frame was done."""

    first: float | None = field(default=None)

    def start(self, expected: object, already_finished: int) -> None:
        """See :class:`~vis_pipeline.runs.progress.ProgressListener`."""

    def advance(self, video_id: int, frames: int) -> None:
        """See :class:`~vis_pipeline.runs.progress.ProgressListener`."""
        if frames and self.first is None:
            self.first = time.monotonic()

    def finish(self, video_id: int, frames: int) -> None:
        """See :class:`~vis_pipeline.runs.progress.ProgressListener`."""
        self.advance(video_id, frames)

    def fail(self, video_id: int, reason: str) -> None:
        """See :class:`~vis_pipeline.runs.progress.ProgressListener`."""


def _timed(job: Job, workers: int | None, out: Path) -> Timing:
    started = time.monotonic()
    report, first = _in_fresh_process(job, workers, out)
    ended = time.monotonic()
    _in_fresh_process(job, workers, out)
    timings = read_json(out / "timings.json")
    return Timing(
        frames=report.frames,
        videos=len(report.finished),
        before=first - started,
        running=report.seconds,
        in_frames=sum(timings["seconds"].values()),
        whole=ended - started,
        again=time.monotonic() - ended,
    )


def _in_fresh_process(job: Job, workers: int | None, out: Path) -> tuple[RunReport, float]:
    with process_pool(1) as process:
        return process.submit(_run, job, workers, out).result()


def _run(job: Job, workers: int | None, out: Path) -> tuple[RunReport, float]:
    """The report of a run, and when its first frame was done, on the clock that all processes share."""
    clock = _Clock()
    ray = replace(job.options.ray, workers=workers or 1, gpus_per_worker=gpu_share(job.options.device, workers or 1))
    options = replace(job.options, ray=ray)
    spread = {} if workers else {"spread": _one_after_another}
    report = run_split(job.settings, job.split, job.frames, out, options, clock, **spread)
    report.require_complete()
    return report, clock.first or time.monotonic()


def _one_after_another(
    tasks: Sequence[VideoTask],
    make_worker: Callable[[], Worker],
    folder: RunFolder,
    settings: RaySettings,
    progress: ProgressListener,
) -> RunReport:
    return run_in_process(tasks, make_worker, folder, progress)


def _cost(name: str, workers: int, timings: Sequence[Timing]) -> RunCost:
    rates = [one.frames / one.running for one in timings]
    return RunCost(
        name=name,
        workers=workers,
        frames_per_second=median(rates),
        slowest=min(rates),
        fastest=max(rates),
        before=median(one.before for one in timings),
        # Of two clocks' difference: what costs nothing may come out a little below.
        per_video=max(0.0, median((one.running * workers - one.in_frames) / one.videos for one in timings)),
        whole=median(one.whole for one in timings),
        again=median(one.again for one in timings),
    )
