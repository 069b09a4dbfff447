"""The loop knows nothing of a tracker but its contract; the sessions of a life cycle keep to it."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from whole_videos import track_video

from vis_pipeline.masks import encode
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.structures.tracks import FrameTracks, MaskState, TrackResult
from vis_pipeline.trackers.base import Finished, Session, Tracker
from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker

SIZE = (4, 6)


class SureAboutTheClass:
    """A tracker that has nothing to do with the life cycle: each class is one object; its network is a counter."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def open(self, stopwatch: Stopwatch) -> "ClassSession":
        return ClassSession()

    def answer(self, needs: Sequence[int]) -> list[float]:
        self.asked.append(list(needs))
        return [0.1 * index for index in needs]


class ClassSession:
    def __init__(self) -> None:
        self.frames: list[FrameTracks] = []

    def propose(self, frame: Frame, detections: Detections) -> int:
        self.frame, self.detections = frame, detections
        return frame.index

    def commit(self, answer: float) -> FrameTracks:
        detections = self.detections
        count = len(detections)
        tracks = FrameTracks(
            index=self.frame.index,
            time=self.frame.time,
            size=SIZE,
            ids=detections.labels.numpy(),
            boxes=detections.boxes.numpy(),
            scores=np.full(count, answer, np.float32),
            labels=detections.labels.numpy(),
            states=np.full(count, MaskState.DETECTED, np.int8),
            corners=np.zeros((count, 2), np.int64),
            masks=tuple(detections.masks.numpy()),
        )
        self.frames.append(tracks)
        return tracks

    def finish(self, video_id: int, length: int) -> Finished:
        labels = sorted({int(label) for tracks in self.frames for label in tracks.labels})
        results = tuple(TrackResult(video_id, label, 0.5, self.masks(label)) for label in labels)
        return Finished(results, ({"kind": "counted", "frame": length - 1},), searches=0)

    def masks(self, label: int) -> tuple[dict[str, object] | None, ...]:
        chosen = (tracks.select(tracks.labels == label) for tracks in self.frames)
        return tuple(encode(tracks.dense())[0] if len(tracks) else None for tracks in chosen)


class Everything:
    """Detects the whole frame as of the class that is its index modulo 2."""

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        box = torch.tensor([[0.0, 0, SIZE[1], SIZE[0]]])
        masks = torch.ones((1, *SIZE), dtype=torch.bool)
        return [Detections(box, torch.ones(1), torch.tensor([frame.index % 2]), masks) for frame in frames]


def test_a_tracker_of_any_kind_tracks_a_video() -> None:
    frames = [Frame(9, index, str(index), np.zeros((*SIZE, 3), np.uint8)) for index in range(3)]
    tracker: Tracker[int, float] = SureAboutTheClass()
    outcome = track_video(9, frames, Everything(), tracker, 2)
    assert [[mask is not None for mask in track.segmentations] for track in outcome.tracks] == [
        [True, False, True],
        [False, True, False],
    ]
    assert tracker.asked == [[0], [1], [2]]  # type: ignore[attr-defined]
    assert outcome.events == ({"kind": "counted", "frame": 2},)
    assert (outcome.length, outcome.height, outcome.width) == (3, *SIZE)


def test_a_decision_needs_a_frame_and_a_frame_has_one_decision() -> None:
    tracker = LifecycleTracker(NoPrediction(), TrackingSettings(), torch.device("cpu"))
    session: Session[object, object] = tracker.open(Stopwatch())  # type: ignore[assignment]
    frame = Frame(9, 0, "0", np.zeros((*SIZE, 3), np.uint8))
    (answer,) = tracker.answer([session.propose(frame, Detections.none(*SIZE))])  # type: ignore[list-item]
    assert len(session.commit(answer)) == 0
    with pytest.raises(RuntimeError, match="call propose first"):
        session.commit(answer)
