"""What is spread over workers, what a worker is, and what becomes of it all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar

from vis_pipeline.errors import DataError, UserError
from vis_pipeline.runs.journal import Journal
from vis_pipeline.structures.frames import FrameSource
from vis_pipeline.structures.tracks import VideoOutcome


class Task(Protocol):
    """One video that a worker does; small, since it travels there.

    Attributes:
        video_id: no other task of the run has it.
        title: what messages call it.
        expected_frames: for the progress bar alone; None where nobody knows.
    """

    @property
    def video_id(self) -> int: ...  # noqa: D102

    @property
    def title(self) -> str: ...  # noqa: D102

    @property
    def expected_frames(self) -> int | None: ...  # noqa: D102

    def begun(self) -> bool:
        """Whether an earlier try left something to go on from."""
        ...


class Outcome(Protocol):
    """What became of a video that was done.

    Attributes:
        length: its frames.
        notes: what there is to say of it.
    """

    @property
    def length(self) -> int: ...  # noqa: D102

    @property
    def notes(self) -> Sequence[str]: ...  # noqa: D102


TaskT = TypeVar("TaskT", bound=Task)
OutcomeT = TypeVar("OutcomeT", bound=Outcome)
TaskT_contra = TypeVar("TaskT_contra", bound=Task, contravariant=True)
OutcomeT_co = TypeVar("OutcomeT_co", bound=Outcome, covariant=True)
OutcomeT_contra = TypeVar("OutcomeT_contra", bound=Outcome, contravariant=True)


class Store(Protocol[OutcomeT_contra]):
    """Where finished videos go, such as a :class:`~vis_pipeline.runs.folder.RunFolder`."""

    def finished(self) -> set[int]:
        """Ids of the videos that an earlier run finished."""
        ...

    def write_video(self, video_id: int, outcome: OutcomeT_contra) -> None:
        """Store a finished video, in a thread of its own.

        Raises:
            DataError: it cannot be written.
        """
        ...

    def log(self, line: str) -> None:
        """Note a line for whoever looks for what happened."""
        ...


@dataclass(frozen=True)
class VideoTask:
    """One video to process; `frames` is small until it is iterated, so it travels to the worker as it is.

    `expected_frames` serves the progress bar alone; None where nobody knows. A `journal` keeps what is done of it; None
    for one that cannot be gone on with.
    """

    video_id: int
    frames: FrameSource
    expected_frames: int | None
    journal: Journal | None = None

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"video {self.video_id} ({self.frames.name})"

    def begun(self) -> bool:
        """Whether an earlier try left a journal."""
        return self.journal is not None and self.journal.exists()


class TaskWorker(Protocol[TaskT_contra, OutcomeT_co]):
    """Holds the models of one process, and the videos that it has under way."""

    def begin(self, task: TaskT_contra, report: Callable[[int], None]) -> None:
        """Take up a video beside those under way, where an earlier try left it.

        `report` is called with the frames done since the last call, at once with those done by an earlier try.
        """
        ...

    def step(self) -> Sequence[tuple[int, OutcomeT_co | UserError]]:
        """Advance every video under way; by id what became of those that have ended, an error where it is the user's.

        Any other error is raised, and leaves the worker unfit for use.
        """
        ...


Worker: TypeAlias = TaskWorker[VideoTask, VideoOutcome]
"""A worker of a run."""


@dataclass(frozen=True)
class RunReport:
    """What became of the videos that this call processed.

    Attributes:
        finished: ids of the videos that are stored.
        set_aside: why, by id, of the videos that are not.
        frames: of the finished videos.
        seconds: wall time until the last one, without the loading of the models.
        notes: what there is to say of the finished videos, by id; their log has it, too.
    """

    finished: tuple[int, ...]
    set_aside: Mapping[int, str]
    frames: int
    seconds: float
    notes: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def require_complete(self) -> None:
        """Raise DataError, naming the videos, where some were set aside."""
        if self.set_aside:
            reasons = "; ".join(self.set_aside.values())
            raise DataError(
                f"{len(self.set_aside)} of {len(self.set_aside) + len(self.finished)} videos were set aside: {reasons} "
                "(the others are finished; the same command tries these again)"
            )
