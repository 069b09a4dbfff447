"""Tracks put together from what forms by frame say: an object here, with a number, a mask and perhaps a class."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from vis_pipeline.errors import DataError
from vis_pipeline.exchange.content import Conventions, Notes, VideoTracks
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Video
from vis_pipeline.structures.tracks import TrackResult

SEVERAL_CLASSES = "{count} tracks change their class on the way: they have the one of most of their frames"
UNKNOWN = -1.0


def require_frame(index: int, video: Video, first_frame: int = 0) -> int:
    """The frame's index from 0.

    Raises:
        DataError: the video has no such frame.
    """
    if not 0 <= index - first_frame < video.length:
        raise DataError(
            f"frame {index}: video {video.id} has the frames {first_frame} to {video.length + first_frame - 1}"
        )
    return index - first_frame


def require_score(score: float) -> float:
    """A score as a form says it; -1, by which MOTChallenge says that there is none, becomes 1.

    Raises:
        DataError: it is not in 0..1.
    """
    if score == UNKNOWN:
        return 1.0
    if not 0 <= score <= 1:
        raise DataError(f"score {score:g} is neither in 0..1 nor -1, which says that there is none")
    return score


@dataclass
class _Gathered:
    masks: dict[int, Rle] = field(default_factory=dict)
    classes: Counter[int | None] = field(default_factory=Counter)
    scores: list[float] = field(default_factory=list)


class Gatherer:
    """The tracks of one video, from its objects in whatever order they come.

    A track has the class that most of its frames say, the first of equals, and the mean of their scores.
    """

    def __init__(self, video: Video, conventions: Conventions, notes: Notes) -> None:
        self._video = video
        self._conventions = conventions
        self._notes = notes
        self._tracks: dict[int, _Gathered] = {}
        self._crowds: set[int] = set()

    def add(self, number: int, frame: int, mask: Rle, category: int | None = None, score: float = 1.0) -> None:
        """Track `number` has this mask in this frame, from 0; a class of None is not known.

        Raises:
            DataError: it has one there already.
        """
        track = self._tracks.setdefault(number, _Gathered())
        if frame in track.masks:
            raise DataError(f"track {number} is in frame {frame + self._conventions.first_frame} twice")
        track.masks[frame] = mask
        track.classes[category] += 1
        track.scores.append(score)

    def mark_crowd(self, number: int) -> None:
        """Track `number` is a region to be ignored."""
        self._crowds.add(number)

    def tracks(self) -> VideoTracks:
        """All of them in the order of their numbers.

        Raises:
            DataError: nobody knows the class of one.
        """
        numbers = sorted(self._tracks)
        found = tuple(self._track(number) for number in numbers)
        crowds = frozenset(place for place, number in enumerate(numbers) if number in self._crowds)
        return VideoTracks(self._video, found, crowds)

    def _track(self, number: int) -> TrackResult:
        track = self._tracks[number]
        (category, _), *others = track.classes.most_common()
        self._notes.say(SEVERAL_CLASSES, int(bool(others)))
        if category is None:
            category = self._conventions.category
        if category is None:
            raise DataError(f"track {number} of video {self._video.id}: no class is said; give it with --category")
        segmentations = tuple(track.masks.get(frame) for frame in range(self._video.length))
        return TrackResult(self._video.id, category, mean(track.scores), segmentations)


def mean(scores: Sequence[float]) -> float:
    """The mean of scores; of equal ones exactly their value."""
    return scores[0] if len(set(scores)) == 1 else math.fsum(scores) / len(scores)
