"""The tracker's contract: it opens a session for each video, and its networks serve all open sessions together.

In every frame of a video its session is given the detections and says what it needs from the networks (`propose`),
the tracker answers the needs of any number of sessions in one go (`answer`), and the session decides what the answer
makes of its tracks (`commit`). State belongs to the session; networks belong to the tracker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from vis_pipeline.structures.checkpoint import Checkpoint
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.structures.tracks import FrameTracks, TrackResult

NeedsT = TypeVar("NeedsT")
AnswerT = TypeVar("AnswerT")
NeedsT_co = TypeVar("NeedsT_co", covariant=True)
AnswerT_contra = TypeVar("AnswerT_contra", contravariant=True)


@dataclass(frozen=True)
class Finished:
    """What a session made of its video.

    Attributes:
        tracks: best first, each with one mask or None for every frame.
        events: every decision in JSON form.
        searches: tracks that the networks were asked for, summed over the frames.
    """

    tracks: tuple[TrackResult, ...]
    events: tuple[Mapping[str, Any], ...]
    searches: int


class Session(Protocol[NeedsT_co, AnswerT_contra]):
    """The tracks of one video; `propose` and `commit` are called in turn, once for each readable frame, in order."""

    def propose(self, frame: Frame, detections: Detections) -> NeedsT_co:
        """Go on to a frame; what it takes to know where the tracks are in it. The masks are of the frame's size."""
        ...

    def commit(self, answer: AnswerT_contra) -> FrameTracks:
        """Decide about the frame proposed for, from the answer and the frame's detections."""
        ...

    def finish(self, video_id: int, length: int) -> Finished:
        """The tracks of the finished video of `length` frames; there is no further one."""
        ...

    def checkpoint(self) -> Checkpoint:
        """Where the video stands, between two frames; its records are those since the last call."""
        ...

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from where another session of the same tracker stood, in place of a video's beginning.

        What comes of the video is what that session would have made of it, byte for byte on the CPU.
        """
        ...


class Tracker(Protocol[NeedsT, AnswerT]):
    """A way of tracking, with the networks that it takes."""

    def open(self, stopwatch: Stopwatch) -> Session[NeedsT, AnswerT]:
        """Begin a video; the stopwatch is given the seconds of its steps."""
        ...

    def answer(self, needs: Sequence[NeedsT]) -> Sequence[AnswerT]:
        """The answer to each session's needs; what one is given does not depend on the others."""
        ...
