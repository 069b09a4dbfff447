"""Videos in lockstep: each comes out as it does alone, to the last bit."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from whole_videos import track_video

from vis_pipeline.engine import FrameLoop, Lane, in_lockstep
from vis_pipeline.errors import DataError, UserError
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import BadFrame, Footage, Frame
from vis_pipeline.structures.tracks import VideoOutcome
from vis_pipeline.trackers.base import Tracker
from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.settings import BeliefSettings, KeptMask
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.propagator import SiamMaskPropagator
from vis_pipeline.trackers.siammask.settings import PRESETS

CPU = torch.device("cpu")


class Blobs:
    """Detects each bright region; every third frame it sees only the leftmost one. Notes the videos of each batch."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[int, int]]] = []

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.batches.append([(frame.video_id, frame.index) for frame in frames])
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Frame) -> Detections:
        count, regions, boxes, _ = cv2.connectedComponentsWithStats((frame.image.min(axis=2) > 200).astype(np.uint8))
        order = sorted(range(1, count), key=lambda region: boxes[region][0])[: 1 if frame.index % 3 == 2 else None]
        if not order:
            return Detections.none(*frame.image.shape[:2])
        corners = torch.tensor([[x, y, x + w, y + h] for x, y, w, h, _ in boxes[order].tolist()], dtype=torch.float32)
        masks = torch.from_numpy(np.stack([regions == region for region in order]))
        scores = 0.9 - 0.05 * torch.arange(len(order))
        return Detections(corners, scores, torch.ones(len(order), dtype=torch.int64), masks)


def siammask() -> Tracker[Any, Any]:
    """Untrained, and whatever it predicts is believed and kept: the results show each of its bits."""
    torch.manual_seed(0)
    predictor = SiamMaskPredictor(SiamMask(ARCHITECTURES["small"]), replace(PRESETS["davis"], stages=2, batch=4))
    belief = BeliefSettings(score=0, usual_score=0, likeness=0, box_iou=0, area_change=1e9, distance=1e9, covered=1)
    settings = TrackingSettings(belief=belief, bridge_iou=0, kept_mask=KeptMask.TRACKER)
    return LifecycleTracker(SiamMaskPropagator(predictor), settings, CPU)


def no_prediction() -> Tracker[Any, Any]:
    return LifecycleTracker(NoPrediction(), TrackingSettings(), CPU)


def video(video_id: int, length: int, objects: int, size: tuple[int, int]) -> list[Footage]:
    """Bright squares that drift over noise; the second of the frames is damaged in every other video."""
    rng = np.random.default_rng(video_id)
    frames: list[Footage] = []
    for index in range(length):
        image: NDArray[np.uint8] = rng.integers(0, 120, (*size, 3), dtype=np.uint8)
        for place in range(objects):
            x, y = 4 + 24 * place + index, 6 + 7 * place
            image[y : y + 12, x : x + 10 + place] = rng.integers(220, 255, 3, dtype=np.uint8)
        damaged = video_id % 2 and index == 1
        bad, good = BadFrame(video_id, index, str(index), "cut short"), Frame(video_id, index, str(index), image)
        frames.append(bad if damaged else good)
    return frames


VIDEOS = {
    1: video(1, 7, 3, (60, 90)),
    2: video(2, 3, 1, (60, 90)),
    3: video(3, 5, 2, (50, 120)),
    4: video(4, 6, 0, (40, 60)),
    5: video(5, 4, 4, (64, 130)),
}


def comparable(outcome: VideoOutcome) -> VideoOutcome:
    """Without the times."""
    return replace(outcome, seconds={})


@pytest.mark.parametrize("make", [siammask, no_prediction])
def test_videos_come_out_as_they_do_alone(make: Any) -> None:
    tracker, alone, together = make(), Blobs(), Blobs()
    expected = {key: track_video(key, frames, alone, tracker, 2) for key, frames in VIDEOS.items()}
    assert any(outcome.tracks for outcome in expected.values())
    for count in (1, 2, 3, 9):
        lanes = (Lane(key, FrameLoop(key, together, tracker), frames, 2) for key, frames in VIDEOS.items())
        found = dict(in_lockstep(tracker, lanes, count))
        assert found.keys() == expected.keys()
        for key, outcome in found.items():
            assert isinstance(outcome, VideoOutcome)
            assert comparable(outcome) == comparable(expected[key]), (key, count)
            assert outcome.seconds.keys() == expected[key].seconds.keys()
        assert sorted(together.batches) == sorted(alone.batches)
        together.batches.clear()


def test_a_video_that_cannot_be_detected_in_leaves_the_others_as_they_are() -> None:
    class Torn(Blobs):
        def detect(self, frames: Sequence[Frame]) -> list[Detections]:
            if any(frame.video_id == 6 for frame in frames):
                raise DataError("detections 6.json: damaged")
            return super().detect(frames)

    tracker, torn = no_prediction(), Torn()
    videos = {key: video(key, 3, 2, (60, 90)) for key in (4, 6)}
    lanes = [Lane(key, FrameLoop(key, torn, tracker), frames, 6) for key, frames in videos.items()]
    found = dict(in_lockstep(tracker, lanes, 2))
    assert str(found[6]) == "detections 6.json: damaged"
    assert isinstance(found[4], VideoOutcome)
    assert comparable(found[4]) == comparable(track_video(4, videos[4], Blobs(), tracker, 6))


class Asked:
    """A tracker that notes how many videos are answered together."""

    def __init__(self, tracker: Tracker[Any, Any]) -> None:
        self.tracker = tracker
        self.open = tracker.open
        self.counts: list[int] = []

    def answer(self, needs: Sequence[Any]) -> Sequence[Any]:
        self.counts.append(len(needs))
        return self.tracker.answer(needs)


def test_the_next_video_begins_where_one_ends() -> None:
    tracker, begun, order = Asked(no_prediction()), [], []

    def lanes() -> Iterator[Lane[int]]:
        for key in (2, 1, 4):  # 3, 6 readable of 7, and 6 frames
            begun.append(key)
            yield Lane(key, FrameLoop(key, Blobs(), tracker), VIDEOS[key], 2)

    for key, _ in in_lockstep(tracker, lanes(), 2):
        order.append((key, list(begun)))
    assert order == [(2, [2, 1]), (1, [2, 1, 4]), (4, [2, 1, 4])]
    assert sum(tracker.counts) == 3 + 6 + 6 and tracker.counts[:3] == [2, 2, 2] and max(tracker.counts) == 2


def test_a_video_that_cannot_be_read_leaves_the_others_as_they_are() -> None:
    tracker = siammask()

    def broken() -> Iterator[Footage]:
        yield from VIDEOS[1][2:4]
        raise DataError("frame 2: cut short")

    lanes = [Lane(key, FrameLoop(key, Blobs(), tracker), frames, 1) for key, frames in ((5, VIDEOS[5]), (9, broken()))]
    found = dict(in_lockstep(tracker, lanes, 2))
    assert isinstance(found[9], UserError) and str(found[9]) == "frame 2: cut short"
    plain = track_video(5, VIDEOS[5], Blobs(), tracker, 1)
    assert isinstance(found[5], VideoOutcome)
    assert comparable(found[5]) == comparable(plain)


def test_no_videos() -> None:
    assert list(in_lockstep(no_prediction(), [], 3)) == []
