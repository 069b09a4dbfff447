"""Videos over Ray workers: models are loaded once a worker, finished videos are stored at once, bad ones set aside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vis_pipeline.runs.parallel.cluster import RaySettings, ray_session
from vis_pipeline.runs.parallel.ledger import Ledger
from vis_pipeline.runs.parallel.line import Line
from vis_pipeline.runs.parallel.pool import Pool
from vis_pipeline.runs.parallel.tasks import (
    Outcome,
    OutcomeT,
    RunReport,
    Store,
    Task,
    TaskT,
    TaskWorker,
    VideoTask,
    Worker,
)
from vis_pipeline.runs.progress import ProgressListener

__all__ = [
    "Outcome",
    "RaySettings",
    "RunReport",
    "Store",
    "Task",
    "TaskWorker",
    "VideoTask",
    "Worker",
    "run_in_process",
    "run_videos",
]


def run_videos(
    tasks: Sequence[TaskT],
    make_worker: Callable[[], TaskWorker[TaskT, OutcomeT]],
    folder: Store[OutcomeT],
    settings: RaySettings,
    progress: ProgressListener,
) -> RunReport:
    """Process the videos that the folder does not hold yet, on Ray, the longest first.

    `make_worker` is pickled and called once in each worker. A video with a fault of the user's is set aside at once;
    one whose worker died or failed, after `settings.retries` more tries in a fresh worker. Where a worker had several
    videos under way, which of them was to blame shows as they are tried again, each alone; that first try is not
    counted.

    Raises:
        UserError: a worker cannot be made, the cluster cannot be reached, or it lacks the GPUs or CPUs.
    """
    ledger: Ledger[TaskT, OutcomeT] = Ledger(folder, progress, settings.retries)
    with ledger:
        waiting = ledger.open(tasks)
        if waiting:
            with ray_session(settings):
                Pool(make_worker, settings, ledger).run(Line(waiting, settings))
    return ledger.report()


def run_in_process(
    tasks: Sequence[TaskT],
    make_worker: Callable[[], TaskWorker[TaskT, OutcomeT]],
    folder: Store[OutcomeT],
    progress: ProgressListener,
) -> RunReport:
    """Process the videos that the folder does not hold yet in this process, one after another.

    Raises:
        UserError: the worker cannot be made.
    """
    ledger: Ledger[TaskT, OutcomeT] = Ledger(folder, progress, retries=0)
    with ledger:
        waiting = ledger.open(tasks)
        worker = make_worker() if waiting else None
        ledger.begin()
        for task in waiting:
            assert worker is not None
            counter = _Counter()

            def report(frames: int, task: TaskT = task, counter: "_Counter" = counter) -> None:
                counter.frames += frames
                ledger.advance(task.video_id, counter.frames)

            worker.begin(task, report)
            while not (ended := worker.step()):
                pass
            for _, outcome in ended:
                ledger.close(task, outcome)
    return ledger.report()


@dataclass
class _Counter:
    frames: int = 0
