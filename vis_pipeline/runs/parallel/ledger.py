"""The account of a run: what is stored, what is tried again, what is set aside."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic

from vis_pipeline.errors import UserError
from vis_pipeline.runs.parallel.tasks import OutcomeT, RunReport, Store, TaskT
from vis_pipeline.runs.progress import ProgressListener

# A file that is on the disk for certain is waited for; the disk takes several at once as fast as one.
WRITERS = 4
MOST_WAITING = 4 * WRITERS


class Ledger(Generic[TaskT, OutcomeT]):
    """Stores what is finished, counts tries, and tells the log and the progress listener.

    Videos are stored by threads beside the run. A context manager: when it ends, however it ends, every video that was
    closed is on the disk, or the error is raised that kept it from there.
    """

    def __init__(self, folder: Store[OutcomeT], progress: ProgressListener, retries: int) -> None:
        self._folder = folder
        self._progress = progress
        self._retries = retries
        self._tries: dict[int, int] = {}
        self._finished: dict[int, int] = {}
        self._set_aside: dict[int, str] = {}
        self._notes: dict[int, Sequence[str]] = {}
        self._began: float | None = None
        self._ended: float | None = None
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="videos")
        self._writing: dict[int, tuple[Future[None], OutcomeT]] = {}

    def __enter__(self) -> "Ledger[TaskT, OutcomeT]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writers.shutdown()
        if error is None:
            self.settle()

    def open(self, tasks: Sequence[TaskT]) -> list[TaskT]:
        """The tasks that remain, the longest first, so that none of them is left running alone at the end."""
        stored = self._folder.finished()
        waiting = [task for task in tasks if task.video_id not in stored]
        for task in waiting:
            if task.begun():
                self._folder.log(f"{task.title}: begun by an earlier try; it goes on where that was")
        self._progress.start({task.video_id: task.expected_frames for task in waiting}, len(tasks) - len(waiting))
        return sorted(waiting, key=lambda task: -(task.expected_frames or 0))

    def begin(self) -> None:
        """The first video begins: the clock starts."""
        self._began = self._began or time.monotonic()

    def advance(self, video_id: int, frames: int) -> None:
        """So many frames of a video are done; late news of a closed video is ignored."""
        self.settle()
        if not any(video_id in closed for closed in (self._writing, self._finished, self._set_aside)):
            self._progress.advance(video_id, frames)

    def close(self, task: TaskT, outcome: OutcomeT | UserError) -> None:
        """Have a video stored, or set it aside for an error that is the user's."""
        if isinstance(outcome, UserError):
            self.set_aside(task, str(outcome))
            return
        if len(self._writing) >= MOST_WAITING:
            self._take_in(next(iter(self._writing)))
        written = self._writers.submit(self._folder.write_video, task.video_id, outcome)
        self._writing[task.video_id] = written, outcome

    def settle(self) -> None:
        """Take in which videos have been stored, in the order in which they were closed.

        Raises:
            DataError: one cannot be written.
        """
        for video_id, (written, _) in list(self._writing.items()):
            if not written.done():
                return
            self._take_in(video_id)

    def try_again(self, task: TaskT, reason: str) -> bool:
        """Note that a try failed; whether the video may have another."""
        tries = self._tries[task.video_id] = self._tries.get(task.video_id, 0) + 1
        self._folder.log(f"{task.title}, try {tries}: {reason}")
        if tries <= self._retries:
            self._progress.advance(task.video_id, 0)
            return True
        counted = f"{tries} {'try' if tries == 1 else 'tries'}"
        self.set_aside(task, f"{task.title}: {first_line(reason)} ({counted})")
        return False

    def suspect(self, tasks: Sequence[TaskT], reason: str) -> None:
        """Note that a try of several videos failed together: which of them is to blame is not known."""
        for task in tasks:
            beside = ", ".join(str(other.video_id) for other in tasks if other is not task)
            self._folder.log(f"{task.title}, beside {beside}: {reason}")
            self._progress.advance(task.video_id, 0)

    def set_aside(self, task: TaskT, reason: str) -> None:
        """Give a video up; the others go on."""
        self._ended = time.monotonic()
        self._set_aside[task.video_id] = reason
        self._folder.log(f"set aside: {reason}")
        self._progress.fail(task.video_id, reason)

    def report(self) -> RunReport:
        """What has become of the videos that are stored or set aside."""
        seconds = self._ended - self._began if self._began and self._ended else 0.0
        frames = sum(self._finished.values())
        return RunReport(tuple(self._finished), dict(self._set_aside), frames, seconds, dict(self._notes))

    def _take_in(self, video_id: int) -> None:
        written, outcome = self._writing[video_id]
        written.result()
        self._ended = time.monotonic()
        del self._writing[video_id]
        self._finished[video_id] = outcome.length
        if outcome.notes:
            self._notes[video_id] = outcome.notes
        self._progress.finish(video_id, outcome.length)


def first_line(text: str) -> str:
    """The first line of a message that may have many."""
    return text.strip().splitlines()[0] if text.strip() else text
