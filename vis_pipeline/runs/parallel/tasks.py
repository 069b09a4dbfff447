"""What is spread over workers, what a worker is, and what becomes of it all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vis_pipeline.errors import DataError, UserError
from vis_pipeline.runs.journal import Journal
from vis_pipeline.structures.frames import FrameSource
from vis_pipeline.structures.tracks import VideoOutcome


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


class Worker(Protocol):
    """Holds the models of one process, and the videos that it has under way."""

    def begin(self, task: VideoTask, report: Callable[[int], None]) -> None:
        """Take up a video beside those under way, where its journal says that it was left.

        `report` is called with the frames done since the last call, at once with those done by an earlier try.
        """
        ...

    def step(self) -> Sequence[tuple[int, VideoOutcome | UserError]]:
        """Advance every video under way; by id what became of those that have ended, an error where it is the user's.

        Any other error is raised, and leaves the worker unfit for use.
        """
        ...


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
