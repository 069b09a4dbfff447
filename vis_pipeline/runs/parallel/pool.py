"""Workers as Ray actors: one video each at a time, watched and replaced by the driver."""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vis_pipeline.errors import ConfigError, UserError
from vis_pipeline.runs.parallel.cluster import RaySettings
from vis_pipeline.runs.parallel.ledger import Ledger
from vis_pipeline.runs.parallel.tasks import VideoTask, Worker
from vis_pipeline.settings.cores import cores, thread_environment
from vis_pipeline.structures.tracks import VideoOutcome

POLL_SECONDS = 0.25


class WorkerActor:
    """The process around a worker: it can be asked for its progress while it works."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._progress = (-1, 0)

    def load(self, make_worker: Callable[[], Worker], threads: int) -> None:
        """Make the worker: load its models."""
        import cv2

        cv2.setNumThreads(threads)
        self._worker = make_worker()

    def process(self, task: VideoTask) -> VideoOutcome:
        """Process one video."""
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
    """A worker as the driver sees it.

    Attributes:
        job: its loading or its video.
        status: the answer about its progress that is awaited.
        placed: whether its process has started.
        alive_at: when it last gave a sign of life, on the monotonic clock.
    """

    actor: Any
    job: Any
    task: VideoTask | None = None
    status: Any = None
    placed: bool = False
    frames: int = 0
    alive_at: float = field(default_factory=time.monotonic)

    def begin(self, task: VideoTask) -> None:
        """Give it a video."""
        self.task, self.frames, self.alive_at = task, 0, time.monotonic()
        self.job = self.actor.process.remote(task)

    def tell(self, task_id: int, frames: int) -> bool:
        """Take in its answer about its progress; whether the video has gone on."""
        if not self.placed:
            self.placed, self.alive_at = True, time.monotonic()
        went_on = self.task is not None and task_id == self.task.video_id and frames != self.frames
        if went_on:
            self.frames, self.alive_at = frames, time.monotonic()
        return went_on


class Pool:
    """The driver's side: at most one video a worker is under way, and a worker that dies is replaced."""

    def __init__(self, make_worker: Callable[[], Worker], settings: RaySettings, ledger: Ledger) -> None:
        import ray

        self._ray = ray
        self._make_worker = ray.put(make_worker)
        self._settings = settings
        self._ledger = ledger
        self._deaths_in_loading = 0
        self._threads = max(1, cores() // settings.workers)
        self._actor_class = ray.remote(
            num_cpus=1,
            num_gpus=settings.gpus_per_worker,
            max_restarts=0,
            max_task_retries=0,
            concurrency_groups={"status": 1},
            runtime_env={"env_vars": _worker_environment(self._threads)},
        )(WorkerActor)

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
                for member in self._silent(members):
                    members.remove(member)
                    members += self._give_up(member, members, waiting)
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
        member.begin(waiting.popleft())
        return [member]

    def _loaded(self, member: _Member) -> bool:
        from ray.exceptions import RayError, RayTaskError

        try:
            self._ray.get(member.job)
        except RayTaskError as error:
            raise error.cause from error
        except RayError as error:
            self._count_death_in_loading(f"workers die while they load the models: {error}")
            return False
        return True

    def _count_death_in_loading(self, reason: str) -> None:
        self._deaths_in_loading += 1
        if self._deaths_in_loading > self._settings.retries:
            raise RuntimeError(reason)

    def _processed(self, member: _Member, task: VideoTask, waiting: deque[VideoTask]) -> bool:
        """Whether the worker can be used further."""
        from ray.exceptions import RayActorError, RayError, RayTaskError

        try:
            self._ledger.finish(task, self._ray.get(member.job))
        except RayTaskError as error:
            if isinstance(error.cause, UserError):
                self._ledger.set_aside(task, str(error.cause))
                return True
            reason = f"{type(error.cause).__name__}: {error.cause}\n{error}"
        except RayActorError as error:
            reason = f"its worker process died\n{error}"
        except RayError as error:
            # The memory monitor's OutOfMemoryError is no RayActorError, and there are others.
            reason = f"Ray ended its worker ({type(error).__name__})\n{error}"
        else:
            return True
        if self._ledger.try_again(task, reason):
            waiting.append(task)
        return False

    def _poll(self, members: Sequence[_Member]) -> None:
        from ray.exceptions import RayError

        for member in members:
            if member.task is None and member.placed:
                continue
            if member.status is None:
                member.status = member.actor.progress.options(concurrency_group="status").remote()
            elif self._ray.wait([member.status], timeout=0)[0]:
                try:
                    video_id, frames = self._ray.get(member.status)
                except RayError:
                    continue  # the member's job fails too, and is dealt with there
                member.status = None
                if member.tell(video_id, frames):
                    self._ledger.advance(video_id, frames)

    def _silent(self, members: Sequence[_Member]) -> list[_Member]:
        return [one for one in members if time.monotonic() - one.alive_at > self._settings.timeout]

    def _give_up(self, member: _Member, others: Sequence[_Member], waiting: deque[VideoTask]) -> list[_Member]:
        """End a member that gives no sign of life; the one in its place, if there is anything to do."""
        self._ray.kill(member.actor)
        passed = f"{self._settings.timeout:g} s"
        if not member.placed:
            if any(other.placed for other in others):
                return []  # the others do its part
            raise ConfigError(f"no worker could be started in {passed}: {self._lacking()}")
        if member.task is None:
            self._count_death_in_loading(f"workers have not loaded their models after {passed}")
        elif self._ledger.try_again(member.task, f"its worker did nothing for {passed} and was ended"):
            waiting.append(member.task)
        return [self._new_member()] if waiting else []

    def _lacking(self) -> str:
        free = self._ray.available_resources()
        return (
            f"each asks Ray for 1 CPU and {self._settings.gpus_per_worker:g} GPU, and {free.get('CPU', 0):g} CPU and "
            f"{free.get('GPU', 0):g} GPU are free; end what holds them, or give a longer --timeout"
        )

    def _new_member(self) -> _Member:
        actor = self._actor_class.remote()
        return _Member(actor, actor.load.remote(self._make_worker, self._threads))


def _worker_environment(threads: int) -> dict[str, str]:
    """Workers import the packages that the driver does, also from a checkout, and leave each other's cores alone."""
    packages = str(Path(__file__).resolve().parents[3])
    inherited = os.environ.get("PYTHONPATH")
    return {
        "PYTHONPATH": os.pathsep.join([packages, inherited] if inherited else [packages]),
        **thread_environment(threads),
    }
