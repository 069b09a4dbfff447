"""What every form is written from and read into: a video's tracks, and what is to be said about the passage."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vis_pipeline.structures.splits import Annotation, Split, Video
from vis_pipeline.structures.tracks import TrackResult

NEVER_SEEN = "{count} tracks without a mask in any frame were left out"


@dataclass(frozen=True)
class VideoTracks:
    """One video with its tracks; a track's number, in the forms that have numbers, is its place here, from 1.

    Attributes:
        video: the split's.
        tracks: each with a mask of the video's size, or None, for every frame; of ground truth with the score 1.
        crowds: places of those tracks that are no object but a region to be ignored.
        annotations: of ground truth that a split holds, the entry behind each track; None of results.
    """

    video: Video
    tracks: Sequence[TrackResult]
    crowds: frozenset[int] = frozenset()
    annotations: Sequence[Annotation] | None = None


def of_annotations(video: Video, annotations: Sequence[Annotation]) -> VideoTracks:
    """A video's ground truth in the form of tracks."""
    tracks = [TrackResult(video.id, entry.category_id, 1.0, entry.segmentations) for entry in annotations]
    crowds = frozenset(place for place, entry in enumerate(annotations) if entry.iscrowd)
    return VideoTracks(video, tracks, crowds, annotations)


@dataclass(frozen=True)
class SplitTracks:
    """The tracks of some videos of a split, one video at a time, so that no more than one is in memory.

    Attributes:
        split: all of it, with the annotations where these are the tracks.
        videos: those of which there are tracks.
        tracks: of these videos, in this order.
        frames: the folder of the split's frames, where it is known.
    """

    split: Split
    videos: Sequence[Video]
    tracks: Iterable[VideoTracks]
    frames: Path | None = None

    @property
    def is_truth(self) -> bool:
        """Whether a split's ground truth, and not a tracker, says so."""
        return self.split.annotations is not None

    def seen(self, notes: "Notes") -> Iterator[VideoTracks]:
        """The videos with those tracks that have a mask in a frame at least: forms by frame have none of others."""
        for found in self.tracks:
            kept = [place for place, track in enumerate(found.tracks) if any(track.segmentations)]
            notes.say(NEVER_SEEN, len(found.tracks) - len(kept))
            crowds = frozenset(place for place, old in enumerate(kept) if old in found.crowds)
            yield VideoTracks(found.video, [found.tracks[place] for place in kept], crowds)


@dataclass
class Notes:
    """What a form cannot hold and what was done about it: one line each, told once, in the order of first telling."""

    _counts: Counter[str] = field(default_factory=Counter)

    def say(self, line: str, count: int = 1) -> None:
        """Note something; in `line`, `{count}` stands for the sum of the counts of all that is said in these words."""
        if count:
            self._counts[line] += count

    def lines(self) -> tuple[str, ...]:
        """All of it."""
        return tuple(line.replace("{count}", f"{count:,}") for line, count in self._counts.items())


@dataclass(frozen=True)
class Conventions:
    """How a form is to be read or written, where that is not the same everywhere.

    Attributes:
        first_frame: the number of a video's first frame.
        category: the id of the category that tracks have whose class the form does not say; None where nobody knows.
    """

    first_frame: int = 0
    category: int | None = None
