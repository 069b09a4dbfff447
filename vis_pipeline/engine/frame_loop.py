"""The frame loop: detect and track in one video."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from detectors.base import Detector
from vis_pipeline.structures.checkpoint import Checkpoint
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import BadFrame, Footage, Frame, Remark
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.structures.tracks import FrameTracks, VideoOutcome
from vis_pipeline.trackers.base import Tracker

# Detections have masks of the frame's size: together, those of 4K frames would take gigabytes.
BATCH_PIXELS = 4 * 1920 * 1088


class FrameLoop:
    """One video through a detector and a tracker: frames in, their tracks out, the finished tracks at the end.

    Args:
        video_id: id that the results carry.
        detector: asked for the frames of a batch together.
        tracker: opens a session for the video.
        on_frames: told after each batch how many frames have just been finished.
        on_detections: given each readable frame with its detections.

    Attributes:
        session: the tracker's for this video.
        stopwatch: seconds by step.
    """

    def __init__(
        self,
        video_id: int,
        detector: Detector,
        tracker: Tracker[Any, Any],
        on_frames: Callable[[int], None] = lambda count: None,
        on_detections: Callable[[Frame, Detections], None] = lambda frame, detections: None,
    ) -> None:
        self._video_id = video_id
        self._detector = detector
        self._tracker = tracker
        self._on_frames = on_frames
        self._on_detections = on_detections
        self.stopwatch = Stopwatch()
        self.session = tracker.open(self.stopwatch)
        self._notes: list[str] = []
        self._skipped: list[int] = []
        self._taken = 0
        self._length = 0
        self._size = (0, 0)

    def over(self, frames: Iterable[Footage], batch_size: int) -> Iterator[FrameTracks]:
        """The tracks of each readable frame, as the video goes on with `frames`, of one size and in order.

        They are read and detected in `batch_size` at a time, or fewer where they are larger than 1920x1080.
        """
        for frame, detections in self.detected(frames, batch_size):
            with self.stopwatch.step("propagate"):
                (answer,) = self._tracker.answer([self.session.propose(frame, detections)])
            yield self.session.commit(answer)

    def finish(self) -> VideoOutcome:
        """What became of the video, once all of its frames went through."""
        finished = self.session.finish(self._video_id, self._length)
        return VideoOutcome(
            tracks=finished.tracks,
            length=self._length,
            height=self._size[0],
            width=self._size[1],
            seconds=dict(self.stopwatch.seconds),
            notes=tuple(self._notes),
            skipped=tuple(self._skipped),
            searches=finished.searches,
            events=finished.events,
        )

    def checkpoint(self) -> Checkpoint:
        """Where the video stands; taken when `on_frames` is told of a batch, it lies between two of them.

        The next batches are then the same as without it, and so is, to the last bit, what a network makes of them.
        """
        inner = self.session.checkpoint()
        facts = {
            "taken": self._taken,
            "length": self._length,
            "size": list(self._size),
            "notes": self._notes,
            "skipped": self._skipped,
            "seconds": dict(self.stopwatch.seconds),
            "session": inner.facts,
        }
        return Checkpoint(inner.records, facts, inner.tensors)

    def restore(self, checkpoint: Checkpoint) -> int:
        """Go on from a checkpoint in place of a video's beginning; how much of its footage is done, to be left out."""
        facts = checkpoint.facts
        self._taken, self._length, self._size = facts["taken"], facts["length"], tuple(facts["size"])
        self._notes, self._skipped = list(facts["notes"]), list(facts["skipped"])
        self.stopwatch.seconds.update(facts["seconds"])
        self.session.restore(Checkpoint(checkpoint.records, facts["session"], checkpoint.tensors))
        return self._taken

    def detected(self, frames: Iterable[Footage], batch_size: int) -> Iterator[tuple[Frame, Detections]]:
        """The readable frames with their detections, for whoever moves the session on; see :meth:`over`."""
        stream = iter(frames)
        while True:
            with self.stopwatch.step("read"):
                batch = _batch(stream, batch_size)
            if not batch:
                return
            self._taken += len(batch)
            good = [frame for frame in batch if isinstance(frame, Frame)]
            with self.stopwatch.step("detect"):
                found = deque(self._detector.detect(good) if good else [])
            length = self._length
            for frame in batch:
                if isinstance(frame, Frame):
                    detections = found.popleft()
                    self._on_detections(frame, detections)
                    self._size = (frame.image.shape[0], frame.image.shape[1])
                    self._length += 1
                    yield frame, detections
                else:
                    self._note(frame)
            self._on_frames(self._length - length)

    def _note(self, footage: BadFrame | Remark) -> None:
        if isinstance(footage, Remark):
            self._notes.append(footage.text)
            return
        self._notes.append(f"frame {footage.name}: skipped ({footage.reason})")
        self._skipped.append(footage.index)
        self._length += 1


def _batch(stream: Iterator[Footage], most: int) -> list[Footage]:
    """The next frames, `most` of them or as many as have `BATCH_PIXELS`, one at least."""
    first = next(stream, None)
    if first is None:
        return []
    if isinstance(first, Frame):
        most = min(most, max(1, BATCH_PIXELS // (first.image.shape[0] * first.image.shape[1])))
    return [first, *islice(stream, most - 1)]
