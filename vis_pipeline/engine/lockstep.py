"""Several videos at a time: they advance together, frame by frame, and share the tracker's batches."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from vis_pipeline.engine.frame_loop import FrameLoop
from vis_pipeline.errors import UserError
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Footage, Frame
from vis_pipeline.structures.tracks import FrameTracks, VideoOutcome
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
        watch: given each readable frame with its tracks.
    """

    key: KeyT
    loop: FrameLoop
    frames: Iterable[Footage]
    batch_size: int
    watch: Callable[[Frame, FrameTracks], None] | None = None


@dataclass(frozen=True)
class _UnderWay(Generic[KeyT]):
    lane: Lane[KeyT]
    coming: Iterator[tuple[Frame, Detections]]


class Lockstep(Generic[KeyT]):
    """Videos that advance together; others may join them at any time.

    All loops are of this tracker. A video that cannot be read to its end gives its error, and the others go on. What
    comes out of a video does not depend on the others. Each frame's detections are made with those of its own video, in
    the same batches as when it is alone: what a network makes of a frame differs with the batch in its last bits, on
    the CPU, too.
    """

    def __init__(self, tracker: Tracker[Any, Any]) -> None:
        self._tracker = tracker
        self._under_way: list[_UnderWay[KeyT]] = []

    def __len__(self) -> int:
        return len(self._under_way)

    def begin(self, lane: Lane[KeyT]) -> None:
        """Take up a video."""
        self._under_way.append(_UnderWay(lane, lane.loop.detected(lane.frames, lane.batch_size)))

    def step(self) -> list[tuple[KeyT, VideoOutcome | UserError]]:
        """Advance each video by a readable frame; the outcomes of those that have none left."""
        ended: list[tuple[KeyT, VideoOutcome | UserError]] = []
        ready: list[tuple[Lane[KeyT], Frame, Detections]] = []
        for video in list(self._under_way):
            try:
                found = next(video.coming, None)
            except UserError as error:
                self._under_way.remove(video)
                ended.append((video.lane.key, error))
            else:
                if found is None:
                    self._under_way.remove(video)
                    ended.append((video.lane.key, video.lane.loop.finish()))
                else:
                    ready.append((video.lane, *found))
        self._advance(ready)
        return ended

    def _advance(self, ready: list[tuple[Lane[KeyT], Frame, Detections]]) -> None:
        """One frame of each of some videos."""
        start = time.perf_counter()
        needs = [lane.loop.session.propose(frame, detections) for lane, frame, detections in ready]
        answers = self._tracker.answer(needs) if needs else []
        spent = time.perf_counter() - start
        for (lane, frame, _), answer in zip(ready, answers, strict=True):
            lane.loop.stopwatch.seconds["propagate"] += spent / len(ready)
            tracks = lane.loop.session.commit(answer)
            if lane.watch is not None:
                lane.watch(frame, tracks)


def in_lockstep(
    tracker: Tracker[Any, Any], lanes: Iterable[Lane[KeyT]], count: int
) -> Iterator[tuple[KeyT, VideoOutcome | UserError]]:
    """Track videos, `count` at a time (see :class:`Lockstep`); the next one begins where one ends.

    Outcomes come as videos are finished.
    """
    waiting = iter(lanes)
    together: Lockstep[KeyT] = Lockstep(tracker)
    while True:
        for lane in islice(waiting, count - len(together)):
            together.begin(lane)
        if not len(together):
            return
        yield from together.step()
