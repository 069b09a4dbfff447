"""Several videos at a time: they advance together, frame by frame, and share the tracker's batches."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from vis_pipeline.engine.frame_loop import FrameLoop
from vis_pipeline.errors import UserError
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Footage, Frame
from vis_pipeline.structures.tracks import VideoOutcome
from vis_pipeline.trackers.base import Tracker

KeyT = TypeVar("KeyT")


@dataclass(frozen=True)
class Lane(Generic[KeyT]):
    """One of the videos.

    Attributes:
        key: what its outcome is called by.
        loop: a fresh one.
        frames: of one size, in order; read as the video goes on.
        batch_size: frames that are read and detected at a time.
    """

    key: KeyT
    loop: FrameLoop
    frames: Iterable[Footage]
    batch_size: int


@dataclass(frozen=True)
class _UnderWay(Generic[KeyT]):
    lane: Lane[KeyT]
    coming: Iterator[tuple[Frame, Detections]]


def in_lockstep(
    tracker: Tracker[Any, Any], lanes: Iterable[Lane[KeyT]], count: int
) -> Iterator[tuple[KeyT, VideoOutcome | UserError]]:
    """Track videos, `count` at a time; the next one begins where one ends. Outcomes come as videos are finished.

    All loops are of this tracker. A video that cannot be read to its end gives its error, and the others go on. What
    comes out of a video does not depend on the others. Each frame's detections are made with those of its own video, in
    the same batches as when it is alone.
    """
    waiting = iter(lanes)
    open_now: list[_UnderWay[KeyT]] = []
    while True:
        opened = islice(waiting, count - len(open_now))
        open_now += [_UnderWay(lane, lane.loop.detected(lane.frames, lane.batch_size)) for lane in opened]
        if not open_now:
            return
        ready: list[tuple[FrameLoop, Frame, Detections]] = []
        for video in list(open_now):
            try:
                found = next(video.coming, None)
            except UserError as error:
                open_now.remove(video)
                yield video.lane.key, error
            else:
                if found is None:
                    open_now.remove(video)
                    yield video.lane.key, video.lane.loop.finish()
                else:
                    ready.append((video.lane.loop, *found))
        _advance(tracker, ready)


def _advance(tracker: Tracker[Any, Any], ready: list[tuple[FrameLoop, Frame, Detections]]) -> None:
    """One frame of each of some videos."""
    start = time.perf_counter()
    answers = tracker.answer([loop.session.propose(frame) for loop, frame, _ in ready]) if ready else []
    spent = time.perf_counter() - start
    for (loop, _, detections), answer in zip(ready, answers, strict=True):
        loop.stopwatch.seconds["propagate"] += spent / len(ready)
        loop.session.commit(answer, detections)
