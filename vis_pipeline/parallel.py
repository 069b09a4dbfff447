"""Videos over Ray workers: models are loaded once a worker, finished videos are stored at once, bad ones set aside."""

import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from vis_pipeline.data.frames import FrameSource
from vis_pipeline.errors import ConfigError, DataError, UserError
from vis_pipeline.progress import ProgressListener
from vis_pipeline.run_folder import RunFolder, VideoOutcome

POLL_SECONDS = 0.25
REACH_SECONDS = 10
OBJECT_STORE_BYTES = 256 * 2**20


@dataclass(frozen=True)
class VideoTask:
    """One video to process; `frames` is small until it is iterated, so it travels to the worker as it is.

    `expected_frames` serves the progress bar alone; None where nobody knows.
    """

    video_id: int
    frames: FrameSource
    expected_frames: int | None


class Worker(Protocol):
    """Holds the models of one process."""

    def process(self, task: VideoTask, report: Callable[[int], None]) -> VideoOutcome:
        """Process a video; `report` is called with the number of frames done since the last call.

        Raises:
            UserError: the video cannot be used.
        """
        ...


@dataclass(frozen=True)
class RaySettings:
    """How videos are spread.

    Attributes:
        workers: processes, each with its own models.
        address: of a running Ray cluster, such as `auto` or `10.0.0.1:6379`; None starts one here, on loopback.
        gpus_per_worker: may be a fraction.
        retries: how often a video whose worker died is tried again.
        debug: show what the workers print.
    """

    workers: int = 1
    address: str | None = None
    gpus_per_worker: float = 0.0
    retries: int = 1
    debug: bool = False


@dataclass(frozen=True)
class RunReport:
    """What became of the videos that this call processed.

    Attributes:
        finished: ids of the videos that are stored.
        set_aside: why, by id, of the videos that are not.
        frames: of the finished videos.
        seconds: wall time, without the loading of the models.
    """

    finished: tuple[int, ...]
    set_aside: Mapping[int, str]
    frames: int
    seconds: float

    def require_complete(self) -> None:
        """Raise DataError, naming the videos, where some were set aside."""
        if self.set_aside:
            reasons = "; ".join(self.set_aside.values())
            raise DataError(
                f"{len(self.set_aside)} of {len(self.set_aside) + len(self.finished)} videos were set aside: {reasons} "
                "(the others are finished; the same command tries these again)"
            )


def run_videos(
    tasks: Sequence[VideoTask],
    make_worker: Callable[[], Worker],
    folder: RunFolder,
    settings: RaySettings,
    progress: ProgressListener,
) -> RunReport:
    """Process the videos that the folder does not hold yet, on Ray, the longest first.

    `make_worker` is pickled and called once in each worker. A video with a fault of the user's is set aside at once;
    one whose worker died or failed, after `settings.retries` more tries in a fresh worker.

    Raises:
        UserError: a worker cannot be made, the cluster cannot be reached, or it lacks the GPUs or CPUs.
    """
    ledger = _Ledger(folder, progress, settings.retries)
    waiting = ledger.open(tasks)
    if waiting:
        with _ray(settings):
            _Pool(make_worker, settings, ledger).run(deque(waiting))
    return ledger.report()


def run_in_process(
    tasks: Sequence[VideoTask], make_worker: Callable[[], Worker], folder: RunFolder, progress: ProgressListener
) -> RunReport:
    """Process the videos that the folder does not hold yet in this process, one after another.

    Raises:
        UserError: the worker cannot be made.
    """
    ledger = _Ledger(folder, progress, retries=0)
    waiting = ledger.open(tasks)
    worker = make_worker() if waiting else None
    ledger.begin()
    for task in waiting:
        assert worker is not None
        counter = _Counter()

        def report(frames: int, task: VideoTask = task, counter: "_Counter" = counter) -> None:
            counter.frames += frames
            progress.advance(task.video_id, counter.frames)

        try:
            ledger.finish(task, worker.process(task, report))
        except UserError as error:
            ledger.set_aside(task, str(error))
    return ledger.report()


@dataclass
class _Counter:
    frames: int = 0


class _Ledger:
    """Stores what is finished, counts tries, and tells the log and the progress listener."""

    def __init__(self, folder: RunFolder, progress: ProgressListener, retries: int) -> None:
        self._folder = folder
        self._progress = progress
        self._retries = retries
        self._tries: dict[int, int] = {}
        self._finished: dict[int, int] = {}
        self._set_aside: dict[int, str] = {}
        self._began: float | None = None

    def open(self, tasks: Sequence[VideoTask]) -> list[VideoTask]:
        """The tasks that remain, the longest first, so that none of them is left running alone at the end."""
        stored = self._folder.finished()
        waiting = [task for task in tasks if task.video_id not in stored]
        self._progress.start({task.video_id: task.expected_frames for task in waiting}, len(tasks) - len(waiting))
        return sorted(waiting, key=lambda task: -(task.expected_frames or 0))

    def begin(self) -> None:
        """The first video begins: the clock starts."""
        self._began = self._began or time.monotonic()

    def advance(self, video_id: int, frames: int) -> None:
        if video_id not in self._finished and video_id not in self._set_aside:
            self._progress.advance(video_id, frames)

    def finish(self, task: VideoTask, outcome: VideoOutcome) -> None:
        self._folder.write_video(task.video_id, outcome)
        self._finished[task.video_id] = outcome.length
        self._progress.finish(task.video_id, outcome.length)

    def try_again(self, task: VideoTask, reason: str) -> bool:
        """Note that a try failed; whether the video may have another."""
        tries = self._tries[task.video_id] = self._tries.get(task.video_id, 0) + 1
        self._folder.log(f"video {task.video_id} ({task.frames.name}), try {tries}: {reason}")
        if tries <= self._retries:
            self._progress.advance(task.video_id, 0)
            return True
        self.set_aside(task, f"video {task.video_id} ({task.frames.name}): {_first_line(reason)} ({tries} tries)")
        return False

    def set_aside(self, task: VideoTask, reason: str) -> None:
        self._set_aside[task.video_id] = reason
        self._folder.log(f"set aside: {reason}")
        self._progress.fail(task.video_id, reason)

    def report(self) -> RunReport:
        seconds = time.monotonic() - self._began if self._began else 0.0
        return RunReport(tuple(self._finished), dict(self._set_aside), sum(self._finished.values()), seconds)


class _WorkerActor:
    """The process around a worker: it can be asked for its progress while it works."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._progress = (-1, 0)

    def load(self, make_worker: Callable[[], Worker], threads: int) -> None:
        import cv2

        cv2.setNumThreads(threads)
        self._worker = make_worker()

    def process(self, task: VideoTask) -> VideoOutcome:
        assert self._worker is not None
        self._progress = (task.video_id, 0)
        return self._worker.process(task, self._report)

    def progress(self) -> tuple[int, int]:
        """Id of the video in work and its frames done."""
        return self._progress

    def _report(self, frames: int) -> None:
        video_id, done = self._progress
        self._progress = (video_id, done + frames)


@dataclass(eq=False)
class _Member:
    """A worker as the driver sees it: `job` is its loading or its video, `status` the answer about its progress."""

    actor: Any
    job: Any
    task: VideoTask | None = None
    status: Any = field(default=None)


class _Pool:
    """The driver's side: at most one video a worker is under way, and a worker that dies is replaced."""

    def __init__(self, make_worker: Callable[[], Worker], settings: RaySettings, ledger: _Ledger) -> None:
        import ray

        self._ray = ray
        self._make_worker = ray.put(make_worker)
        self._settings = settings
        self._ledger = ledger
        self._deaths_in_loading = 0
        self._threads = max(1, _cores() // settings.workers)
        self._actor_class = ray.remote(
            num_cpus=1,
            num_gpus=settings.gpus_per_worker,
            max_restarts=0,
            max_task_retries=0,
            concurrency_groups={"status": 1},
            runtime_env={"env_vars": _worker_environment(self._threads)},
        )(_WorkerActor)

    def run(self, waiting: deque[VideoTask]) -> None:
        """Process the tasks until none is waiting or under way."""
        members = [self._new_member() for _ in range(min(self._settings.workers, len(waiting)))]
        try:
            while waiting or any(member.task for member in members):
                ready, _ = self._ray.wait([member.job for member in members], timeout=POLL_SECONDS)
                for member in [one for one in members if one.job in ready]:
                    members.remove(member)
                    members += self._next(member, waiting)
                self._poll(members)
        finally:
            for member in members:
                self._ray.kill(member.actor)

    def _next(self, member: _Member, waiting: deque[VideoTask]) -> list[_Member]:
        """Take in what a member has done; the member to go on with, if there is anything to do."""
        healthy = self._loaded(member) if member.task is None else self._processed(member, member.task, waiting)
        if not waiting or not healthy:
            self._ray.kill(member.actor)
        if not waiting:
            return []
        if not healthy:
            return [self._new_member()]
        self._ledger.begin()
        member.task = waiting.popleft()
        member.job = member.actor.process.remote(member.task)
        return [member]

    def _loaded(self, member: _Member) -> bool:
        from ray.exceptions import RayActorError, RayTaskError

        try:
            self._ray.get(member.job)
        except RayTaskError as error:
            raise error.cause from error
        except RayActorError as error:
            self._deaths_in_loading += 1
            if self._deaths_in_loading > self._settings.retries:
                raise RuntimeError(f"workers die while they load the models: {error}") from error
            return False
        return True

    def _processed(self, member: _Member, task: VideoTask, waiting: deque[VideoTask]) -> bool:
        """Whether the worker can be used further."""
        from ray.exceptions import RayActorError, RayTaskError

        try:
            self._ledger.finish(task, self._ray.get(member.job))
        except RayTaskError as error:
            if isinstance(error.cause, UserError):
                self._ledger.set_aside(task, str(error.cause))
                return True
            reason = f"{type(error.cause).__name__}: {error.cause}\n{error}"
        except RayActorError as error:
            reason = f"its worker process died\n{error}"
        else:
            return True
        if self._ledger.try_again(task, reason):
            waiting.append(task)
        return False

    def _poll(self, members: Sequence[_Member]) -> None:
        from ray.exceptions import RayActorError

        for member in members:
            if member.task is None:
                continue
            if member.status is None:
                member.status = member.actor.progress.options(concurrency_group="status").remote()
            elif self._ray.wait([member.status], timeout=0)[0]:
                try:
                    video_id, frames = self._ray.get(member.status)
                except RayActorError:
                    continue  # the member's job fails too, and is dealt with there
                member.status = None
                if video_id == member.task.video_id:
                    self._ledger.advance(video_id, frames)

    def _new_member(self) -> _Member:
        actor = self._actor_class.remote()
        return _Member(actor, actor.load.remote(self._make_worker, self._threads))


@contextmanager
def _ray(settings: RaySettings) -> Iterator[None]:
    """Ray: the caller's own, left as it is; or the one at the address; or one started here, on loopback."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Ray lowers its workers' priority to 15; they are what the user waits for.
    os.environ.setdefault("RAY_worker_niceness", "0")
    if settings.address is None:
        # Without this, Ray listens on the outward address even where it is told 127.0.0.1. It is read on import.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    else:
        _require_reachable(settings.address)
    import ray

    if ray.is_initialized():
        _require_resources(ray.cluster_resources(), settings)
        yield
        return
    here: dict[str, Any] = {
        "address": "local",
        "include_dashboard": False,
        "num_cpus": max(_cores(), settings.workers),
        "object_store_memory": OBJECT_STORE_BYTES,
    }
    try:
        ray.init(
            **(here if settings.address is None else {"address": settings.address}),
            log_to_driver=settings.debug,
            logging_level=logging.WARNING if settings.debug else logging.ERROR,
        )
    except (ConnectionError, ValueError) as error:
        if settings.address is None:
            raise
        raise ConfigError(f"--ray-address {settings.address}: {_refusal(error)}") from error
    try:
        _require_resources(ray.cluster_resources(), settings)
        yield
    finally:
        ray.shutdown()


def _require_reachable(address: str) -> None:
    """Ray itself gives up only after minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or "://" in host:
        return
    try:
        socket.create_connection((host, int(port)), timeout=REACH_SECONDS).close()
    except OSError as error:
        raise ConfigError(f"--ray-address {address}: no Ray cluster there ({error.strerror or error})") from error


def _refusal(error: Exception) -> str:
    """Why Ray could not be reached; it wraps a refused token in an error of connection."""
    if "InvalidAuthToken" in str(error.__cause__):
        return "the cluster asks for its token; set RAY_AUTH_MODE=token and give it as Ray's documentation says"
    return f"no Ray cluster there ({_first_line(str(error))})"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _worker_environment(threads: int) -> dict[str, str]:
    """Workers import the packages that the driver does, also from a checkout, and leave each other's cores alone."""
    packages = str(Path(__file__).resolve().parents[1])
    inherited = os.environ.get("PYTHONPATH")
    return {
        "PYTHONPATH": os.pathsep.join([packages, inherited] if inherited else [packages]),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
    }


def _require_resources(there: Mapping[str, float], settings: RaySettings) -> None:
    for name, each in {"CPU": 1.0, "GPU": settings.gpus_per_worker}.items():
        if each * settings.workers > there.get(name, 0.0):
            raise ConfigError(
                f"--workers {settings.workers}: with {each:g} {name} each they need {each * settings.workers:g}, "
                f"Ray has {there.get(name, 0.0):g}; give fewer workers or a smaller share"
            )


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else text
