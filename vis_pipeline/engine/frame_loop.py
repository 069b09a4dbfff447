"""The frame loop: detect and track in one video."""

from collections.abc import Callable, Iterable
from itertools import islice

from detectors.base import Detector
from vis_pipeline.engine.tracker import StateT, VideoTracker
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import BadFrame, Footage, Frame, Remark
from vis_pipeline.structures.tracks import VideoOutcome


def track_video(
    video_id: int,
    frames: Iterable[Footage],
    detector: Detector,
    tracker: VideoTracker[StateT],
    batch_size: int,
    on_frames: Callable[[int], None],
    on_detections: Callable[[Frame, Detections], None],
) -> VideoOutcome:
    """Detect and track in one video.

    Args:
        video_id: id that the results carry.
        frames: of one size, in order.
        detector: asked for `batch_size` frames at a time.
        tracker: a fresh one.
        batch_size: frames a batch.
        on_frames: told how many frames have just been finished.
        on_detections: given each readable frame with its detections.
    """
    watch = tracker.stopwatch.step
    notes: list[str] = []
    skipped: list[int] = []
    length = height = width = 0
    stream = iter(frames)
    while True:
        with watch("read"):
            batch = list(islice(stream, batch_size))
        if not batch:
            break
        good = [frame for frame in batch if isinstance(frame, Frame)]
        with watch("detect"):
            found = iter(detector.detect(good) if good else [])
        for frame in batch:
            if isinstance(frame, Remark):
                notes.append(frame.text)
            elif isinstance(frame, BadFrame):
                notes.append(f"frame {frame.name}: skipped ({frame.reason})")
                skipped.append(frame.index)
            else:
                detections = next(found)
                on_detections(frame, detections)
                tracker.step(frame.index, frame.image, detections)
                height, width = frame.image.shape[:2]
        shown = sum(not isinstance(frame, Remark) for frame in batch)
        length += shown
        on_frames(shown)
    tracks = tracker.results(video_id, length)
    return VideoOutcome(
        tracks=tracks,
        length=length,
        height=height,
        width=width,
        seconds=dict(tracker.stopwatch.seconds),
        notes=tuple(notes),
        skipped=tuple(skipped),
        searches=tracker.searches,
        events=tuple(event.to_json() for event in tracker.events),
    )
