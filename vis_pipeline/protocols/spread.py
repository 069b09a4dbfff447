"""A benchmark's sequences over workers, or one after another; what is done is left, what fails is set aside."""

import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic

import torch

from vis_pipeline.errors import DataError, UserError
from vis_pipeline.protocols.benchmark import Benchmark, BoxKind, GivenT, Trackers
from vis_pipeline.protocols.results_folder import ResultsFolder
from vis_pipeline.runs.parallel import RaySettings, RunReport, run_in_process, run_videos
from vis_pipeline.runs.parallel.ledger import first_line
from vis_pipeline.runs.progress import ProgressListener
from vis_pipeline.settings.device import torch_device
from vis_pipeline.trackers.followers import FollowerSettings


@dataclass(frozen=True)
class SequenceTask(Generic[GivenT]):
    """One sequence; `video_id` is its place in the list."""

    video_id: int
    given: GivenT

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"sequence {self.given.name}"

    @property
    def expected_frames(self) -> int:
        """Its frames."""
        return self.given.length

    def begun(self) -> bool:
        """Never: a sequence is done whole."""
        return False


@dataclass(frozen=True)
class SequenceOutcome:
    """A sequence whose result is written."""

    length: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SequenceWorkerFactory(Generic[GivenT]):
    """Builds a worker; small and picklable, so that Ray sends this and not the networks.

    Attributes:
        benchmark: says how a sequence is run.
        followers: what it is run with.
        boxes: which box goes into results that are boxes.
        device: `cpu`, `cuda`, `cuda:1`, ...
        results: the folder of results, which every worker can write to.
    """

    benchmark: Benchmark[GivenT]
    followers: FollowerSettings
    boxes: BoxKind
    device: str
    results: Path

    def __call__(self) -> "SequenceWorker[GivenT]":
        """Load the networks."""
        torch.manual_seed(0)
        device = torch_device(self.device)
        built = self.followers.build(device)
        trackers = Trackers(built.follow, built.predictor, self.boxes)
        return SequenceWorker(self.benchmark, trackers, self.results, partial(self.followers.computing, device))


class SequenceWorker(Generic[GivenT]):
    """The networks of one process; a :class:`~vis_pipeline.runs.parallel.TaskWorker` that runs a sequence at a time."""

    def __init__(
        self,
        benchmark: Benchmark[GivenT],
        trackers: Trackers,
        results: Path,
        computing: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self._benchmark = benchmark
        self._trackers = trackers
        self._results = results
        self._computing = computing
        self._waiting: list[tuple[SequenceTask[GivenT], Callable[[int], None]]] = []

    def begin(self, task: SequenceTask[GivenT], report: Callable[[int], None]) -> None:
        """Take up a sequence."""
        self._waiting.append((task, report))

    def step(self) -> list[tuple[int, SequenceOutcome | UserError]]:
        """Run a sequence that was taken up."""
        task, report = self._waiting.pop(0)
        try:
            with self._computing():
                self._benchmark.run(task.given, self._trackers, self._results, report)
        except UserError as error:
            return [(task.video_id, error)]
        return [(task.video_id, SequenceOutcome(task.given.length))]


class _Alone(Generic[GivenT]):
    """A worker in the command's own process: no other takes its place when it fails, so it goes on itself."""

    def __init__(self, worker: SequenceWorker[GivenT], folder: ResultsFolder) -> None:
        self._worker, self._folder = worker, folder
        self._under_way: SequenceTask[GivenT] | None = None

    def begin(self, task: SequenceTask[GivenT], report: Callable[[int], None]) -> None:
        self._under_way = task
        self._worker.begin(task, report)

    def step(self) -> list[tuple[int, SequenceOutcome | UserError]]:
        assert self._under_way is not None
        try:
            return self._worker.step()
        except Exception as error:
            self._folder.log(f"{self._under_way.title}: {traceback.format_exc()}")
            reason = f"{type(error).__name__}: {first_line(str(error))} (log.txt says where)"
            return [(self._under_way.video_id, DataError(reason))]


class _Written(Generic[GivenT]):
    """The results that lie in a folder; workers write them themselves."""

    def __init__(self, benchmark: Benchmark[GivenT], listed: Sequence[GivenT], folder: ResultsFolder) -> None:
        self._benchmark, self._listed, self._folder = benchmark, listed, folder

    def finished(self) -> set[int]:
        results = self._folder.results
        return {number for number, given in enumerate(self._listed, 1) if self._benchmark.is_done(given, results)}

    def write_video(self, video_id: int, outcome: SequenceOutcome) -> None:
        """It is there already."""

    def log(self, line: str) -> None:
        self._folder.log(line)


def run_sequences(
    listed: Sequence[GivenT],
    factory: SequenceWorkerFactory[GivenT],
    folder: ResultsFolder,
    settings: RaySettings,
    progress: ProgressListener,
) -> RunReport:
    """Run the sequences whose results the folder lacks: over Ray, or with one worker and no address in this process.

    One with a fault of the user's is set aside at once, one whose worker died or failed after `settings.retries` more
    tries in another worker, if there are others; ids in the report are places in the list, from 1.

    Raises:
        UserError: a worker cannot be made, or as :func:`~vis_pipeline.runs.parallel.run_videos` says.
    """
    tasks = [SequenceTask(number, given) for number, given in enumerate(listed, start=1)]
    written = _Written(factory.benchmark, listed, folder)
    if settings.workers == 1 and settings.address is None:
        return run_in_process(tasks, lambda: _Alone(factory(), folder), written, progress)
    return run_videos(tasks, factory, written, settings, progress)
