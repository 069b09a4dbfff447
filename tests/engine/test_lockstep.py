"""Videos in lockstep: each comes out as it does alone, to the last bit."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from blob_videos import Blobs, no_prediction, siammask, video
from whole_videos import track_video

from vis_pipeline.engine import FrameLoop, Lane, in_lockstep
from vis_pipeline.errors import DataError, UserError
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Footage, Frame
from vis_pipeline.structures.tracks import VideoOutcome
from vis_pipeline.trackers.base import Tracker

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
