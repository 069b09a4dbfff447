"""Workers as Ray actors: each has some videos under way, and is watched and replaced by the driver."""

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic

from vis_pipeline.errors import ConfigError, UserError
from vis_pipeline.runs.parallel.cluster import RaySettings
from vis_pipeline.runs.parallel.ledger import Ledger
from vis_pipeline.runs.parallel.line import Line
from vis_pipeline.runs.parallel.tasks import OutcomeT, TaskT, TaskWorker
from vis_pipeline.settings.cores import thread_environment, threads_each

POLL_SECONDS = 0.25


class WorkerActor(Generic[TaskT, OutcomeT]):
    """The process around a worker: it can be asked for its progress while it works."""

    def __init__(self) -> None:
        self._worker: TaskWorker[TaskT, OutcomeT] | None = None
        self._frames: dict[int, int] = {}

    def load(self, make_worker: Callable[[], TaskWorker[TaskT, OutcomeT]], threads: int) -> None:
        """Make the worker: load its models."""
        import cv2

        cv2.setNumThreads(threads)
        self._worker = make_worker()

    def process(self, tasks: Sequence[TaskT]) -> list[tuple[int, OutcomeT | UserError]]:
        """Take up videos beside those under way and go on until one has ended, or several have at once."""
        assert self._worker is not None
        for task in tasks:
            self._frames[task.video_id] = 0
            self._worker.begin(task, partial(self._report, task.video_id))
        while not (ended := self._worker.step()):
            pass
        for video_id, _ in ended:
            del self._frames[video_id]
        return list(ended)

    def progress(self) -> dict[int, int]:
        """The frames done of each video under way, by its id."""
        return self._frames.copy()

    def _report(self, video_id: int, frames: int) -> None:
        self._frames[video_id] += frames


@dataclass(eq=False)
class _Member(Generic[TaskT]):
    """A worker as the driver sees it.

    Attributes:
        job: its loading, or its work on its videos.
        loaded: whether it has its models.
        tasks: the videos under way, by id.
        status: the answer about its progress that is awaited.
        asked_at: when it was last asked for one, on the monotonic clock.
        placed: whether its process has started.
        frames: done of each video, as far as it has told.
        alive_at: when it last gave a sign of life, on the monotonic clock.
    """

    actor: Any
    job: Any
    loaded: bool = False
    tasks: dict[int, TaskT] = field(default_factory=dict)
    status: Any = None
    asked_at: float = -math.inf
    placed: bool = False
    frames: dict[int, int] = field(default_factory=dict)
    alive_at: float = field(default_factory=time.monotonic)

    def go_on(self, more: Sequence[TaskT]) -> None:
        """Have it work on its videos and some more."""
        self.tasks |= {task.video_id: task for task in more}
        self.frames |= {task.video_id: 0 for task in more}
        self.alive_at = time.monotonic()
        self.job = self.actor.process.remote(list(more))

    def end(self, video_id: int) -> TaskT:
        """A video is no longer under way."""
        del self.frames[video_id]
        return self.tasks.pop(video_id)

    def tell(self, done: Mapping[int, int]) -> dict[int, int]:
        """Take in its answer about its progress; the frames of the videos that have gone on."""
        gone_on = {
            video_id: frames
            for video_id, frames in done.items()
            if video_id in self.tasks and frames != self.frames[video_id]
        }
        if gone_on or not self.placed:
            self.placed, self.alive_at = True, time.monotonic()
        self.frames |= gone_on
        return gone_on


class Pool(Generic[TaskT, OutcomeT]):
    """The driver's side: a worker has some videos under way, and one that dies is replaced."""

    def __init__(
        self,
        make_worker: Callable[[], TaskWorker[TaskT, OutcomeT]],
        settings: RaySettings,
        ledger: Ledger[TaskT, OutcomeT],
    ) -> None:
        import ray

        self._ray = ray
        self._make_worker = ray.put(make_worker)
        self._settings = settings
        self._ledger = ledger
        self._deaths_in_loading = 0
        self._threads = threads_each(settings.workers)
        self._actor_class = ray.remote(
            num_cpus=1,
            num_gpus=settings.gpus_per_worker,
            max_restarts=0,
            max_task_retries=0,
            concurrency_groups={"status": 1},
            runtime_env={"env_vars": _worker_environment(self._threads)},
        )(WorkerActor)

    def run(self, line: Line[TaskT]) -> None:
        """Process the videos until none is waiting or under way."""
        members = [self._new_member() for _ in range(min(self._settings.workers, len(line)))]
        try:
            while line or any(member.tasks for member in members):
                ready, _ = self._ray.wait([member.job for member in members], timeout=POLL_SECONDS)
                for member in [one for one in members if one.job in ready]:
                    members.remove(member)
                    members += self._next(member, line)
                self._ledger.settle()
                self._poll(members)
                for member in self._silent(members):
                    members.remove(member)
                    members += self._give_up(member, members, line)
        finally:
            for member in members:
                self._ray.kill(member.actor)

    def _next(self, member: _Member[TaskT], line: Line[TaskT]) -> list[_Member[TaskT]]:
        """Take in what a member has done; the member to go on with, if there is anything to do."""
        healthy = self._processed(member, line) if member.loaded else self._loaded(member)
        if not healthy:
            self._ray.kill(member.actor)
            return [self._new_member()] if line else []
        more = line.take(len(member.tasks))
        if not more and not member.tasks:
            self._ray.kill(member.actor)
            return []
        self._ledger.begin()
        member.go_on(more)
        return [member]

    def _loaded(self, member: _Member[TaskT]) -> bool:
        from ray.exceptions import RayError, RayTaskError

        try:
            self._ray.get(member.job)
        except RayTaskError as error:
            raise error.cause from error
        except RayError as error:
            self._count_death_in_loading(f"workers die while they load the models: {error}")
            return False
        member.loaded = True
        return True

    def _count_death_in_loading(self, reason: str) -> None:
        self._deaths_in_loading += 1
        if self._deaths_in_loading > self._settings.retries:
            raise RuntimeError(reason)

    def _processed(self, member: _Member[TaskT], line: Line[TaskT]) -> bool:
        """Whether the worker can be used further."""
        from ray.exceptions import RayActorError, RayError, RayTaskError

        try:
            for video_id, outcome in self._ray.get(member.job):
                self._ledger.close(member.end(video_id), outcome)
        except RayTaskError as error:
            reason = f"{type(error.cause).__name__}: {error.cause}\n{error}"
        except RayActorError as error:
            reason = f"its worker process died\n{error}"
        except RayError as error:
            # The memory monitor's OutOfMemoryError is no RayActorError, and there are others.
            reason = f"Ray ended its worker ({type(error).__name__})\n{error}"
        else:
            return True
        self._failed(member, reason, line)
        return False

    def _failed(self, member: _Member[TaskT], reason: str, line: Line[TaskT]) -> None:
        """Deal with the videos of a worker that cannot be used further."""
        tasks = list(member.tasks.values())
        if len(tasks) > 1:
            self._ledger.suspect(tasks, reason)
        elif not self._ledger.try_again(tasks[0], reason):
            return
        for task in tasks:
            line.put_back(task)

    def _poll(self, members: Sequence[_Member[TaskT]]) -> None:
        from ray.exceptions import RayError

        for member in members:
            if not member.loaded and member.placed:
                continue
            if member.status is None:
                # Videos may end far more often than anyone wants to know how far they are.
                if time.monotonic() - member.asked_at < POLL_SECONDS:
                    continue
                member.asked_at = time.monotonic()
                member.status = member.actor.progress.options(concurrency_group="status").remote()
            elif self._ray.wait([member.status], timeout=0)[0]:
                try:
                    done = self._ray.get(member.status)
                except RayError:
                    continue  # the member's job fails too, and is dealt with there
                member.status = None
                for video_id, frames in member.tell(done).items():
                    self._ledger.advance(video_id, frames)

    def _silent(self, members: Sequence[_Member[TaskT]]) -> list[_Member[TaskT]]:
        return [one for one in members if time.monotonic() - one.alive_at > self._settings.timeout]

    def _give_up(
        self, member: _Member[TaskT], others: Sequence[_Member[TaskT]], line: Line[TaskT]
    ) -> list[_Member[TaskT]]:
        """End a member that gives no sign of life; the one in its place, if there is anything to do."""
        self._ray.kill(member.actor)
        passed = f"{self._settings.timeout:g} s"
        if not member.placed:
            if any(other.placed for other in others):
                return []  # the others do its part
            raise ConfigError(f"no worker could be started in {passed}: {self._lacking()}")
        if member.loaded:
            self._failed(member, f"its worker did nothing for {passed} and was ended", line)
        else:
            self._count_death_in_loading(f"workers have not loaded their models after {passed}")
        return [self._new_member()] if line else []

    def _lacking(self) -> str:
        free = self._ray.available_resources()
        return (
            f"each asks Ray for 1 CPU and {self._settings.gpus_per_worker:g} GPU, and {free.get('CPU', 0):g} CPU and "
            f"{free.get('GPU', 0):g} GPU are free; end what holds them, or give a longer --timeout"
        )

    def _new_member(self) -> _Member[TaskT]:
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
