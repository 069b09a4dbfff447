"""What becomes of a video: its tracks, and how they came about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vis_pipeline.masks import Rle


@dataclass(frozen=True)
class TrackResult:
    """One predicted object over the whole video: `segmentations` has one mask or None for every frame."""

    video_id: int
    category_id: int
    score: float
    segmentations: tuple[Rle | None, ...]


@dataclass(frozen=True)
class VideoOutcome:
    """What a worker made of one video.

    Attributes:
        tracks: the predicted objects, each with `length` segmentations.
        length: number of frames, with the null frames of skipped bad ones.
        height, width: pixels of a frame.
        seconds: wall time by step: read, detect, propagate, associate, encode.
        notes: lines for the run's log, such as skipped frames.
        skipped: indices of the frames that could not be read.
        searches: tracks that the propagator was asked for, summed over the frames.
        events: every decision in JSON form (see :class:`vis_pipeline.trackers.lifecycle.events.Event`); the run folder
            keeps them apart from the rest, and reading an outcome back gives none.
    """

    tracks: Sequence[TrackResult]
    length: int
    height: int
    width: int
    seconds: Mapping[str, float]
    notes: Sequence[str] = ()
    skipped: Sequence[int] = ()
    searches: int = 0
    events: Sequence[Mapping[str, Any]] = ()
