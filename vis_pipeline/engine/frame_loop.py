"""The frame loop: detect and track in one video."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from detectors.base import Detector
from vis_pipeline.engine.tracker import VideoTracker
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import BadFrame, Footage, Frame, Remark
from vis_pipeline.structures.tracks import FrameTracks, VideoOutcome


class FrameLoop:
    """One video through a detector and a tracker: frames in, their tracks out, the finished tracks at the end.

    Args:
        video_id: id that the results carry.
        detector: asked for the frames of a batch together.
        tracker: a fresh one.
        on_frames: told after each batch how many frames have just been finished.
        on_detections: given each readable frame with its detections.
    """

    def __init__(
        self,
        video_id: int,
        detector: Detector,
        tracker: VideoTracker[Any],
        on_frames: Callable[[int], None] = lambda count: None,
        on_detections: Callable[[Frame, Detections], None] = lambda frame, detections: None,
    ) -> None:
        self._video_id = video_id
        self._detector = detector
        self._tracker = tracker
        self._on_frames = on_frames
        self._on_detections = on_detections
        self._notes: list[str] = []
        self._skipped: list[int] = []
        self._length = 0
        self._size = (0, 0)

    def over(self, frames: Iterable[Footage], batch_size: int) -> Iterator[FrameTracks]:
        """The tracks of each readable frame of a video, read and detected in `batch_size` frames at a time."""
        stream = iter(frames)
        while True:
            with self._tracker.stopwatch.step("read"):
                batch = list(islice(stream, batch_size))
            if not batch:
                return
            yield from self.step(batch)

    def step(self, batch: Sequence[Footage]) -> Iterator[FrameTracks]:
        """The tracks of each readable frame of a batch, one after another; the frames are of one size, in order."""
        good = [frame for frame in batch if isinstance(frame, Frame)]
        with self._tracker.stopwatch.step("detect"):
            found = iter(self._detector.detect(good) if good else [])
        length = self._length
        for frame in batch:
            if isinstance(frame, Remark):
                self._notes.append(frame.text)
                continue
            self._length += 1
            if isinstance(frame, BadFrame):
                self._notes.append(f"frame {frame.name}: skipped ({frame.reason})")
                self._skipped.append(frame.index)
                continue
            detections = next(found)
            self._on_detections(frame, detections)
            self._size = (frame.image.shape[0], frame.image.shape[1])
            yield self._tracker.step(frame, detections)
        self._on_frames(self._length - length)

    def finish(self) -> VideoOutcome:
        """What became of the video, once all of its frames went through."""
        tracks = self._tracker.results(self._video_id, self._length)
        return VideoOutcome(
            tracks=tracks,
            length=self._length,
            height=self._size[0],
            width=self._size[1],
            seconds=dict(self._tracker.stopwatch.seconds),
            notes=tuple(self._notes),
            skipped=tuple(self._skipped),
            searches=self._tracker.searches,
            events=tuple(event.to_json() for event in self._tracker.events),
        )


def track_video(
    video_id: int,
    frames: Iterable[Footage],
    detector: Detector,
    tracker: VideoTracker[Any],
    batch_size: int,
    on_frames: Callable[[int], None],
    on_detections: Callable[[Frame, Detections], None],
) -> VideoOutcome:
    """Detect and track in a whole video; the arguments are those of :class:`FrameLoop` and of its `over`."""
    loop = FrameLoop(video_id, detector, tracker, on_frames, on_detections)
    for _ in loop.over(frames, batch_size):
        pass
    return loop.finish()
