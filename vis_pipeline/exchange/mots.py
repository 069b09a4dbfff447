"""What both forms of MOTS have in common: an object's id, `class * 1000 + instance`, and the region to be ignored.

The instance is the track's number in its video, from 1. Pixels belong to one object only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vis_pipeline.errors import DataError
from vis_pipeline.exchange.class_numbers import MOTS_IGNORED, category_of_class, mots_classes
from vis_pipeline.exchange.content import Conventions, Notes, VideoTracks
from vis_pipeline.exchange.gathering import Gatherer
from vis_pipeline.exchange.tracks_table import Facts, read_table
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Split, Video

INSTANCES = 1000
IGNORED = MOTS_IGNORED * INSTANCES
# In 16 bits.
_MOST_CLASSES = 64
REGION = "regions to be ignored are crowds of every category"


def object_ids(found: VideoTracks, classes: Mapping[int, int]) -> dict[int, int]:
    """The id of each track, by its place; that of all regions to be ignored is 10000.

    Raises:
        DataError: the video has more than 999 tracks, or a class is numbered past 64: there are no ids for them.
    """
    if len(found.tracks) >= INSTANCES:
        raise DataError(
            f"video {found.video.id}: {len(found.tracks)} tracks, and MOTS has ids for {INSTANCES - 1}; "
            "give a higher --score-thr"
        )
    ids = {}
    for place, track in enumerate(found.tracks):
        number = classes[track.category_id]
        if number > _MOST_CLASSES:
            raise DataError(f"category {track.category_id}: its class is {number}, and 16 bits have {_MOST_CLASSES}")
        ids[place] = IGNORED if place in found.crowds else number * INSTANCES + place + 1
    return ids


@dataclass(frozen=True)
class MotsReading:
    """What ids mean: by the table beside the files where there is one, else by the classes alone."""

    split: Split
    table: Mapping[tuple[str, int], Facts] | None
    classes: Mapping[int, int]

    @classmethod
    def of(cls, folder: Path, split: Split, notes: Notes, classes: Mapping[int, int] | None = None) -> "MotsReading":
        """With the table of a folder; `classes` are those of the categories, by their ids, where files state them.

        Raises:
            DataError: it is damaged.
        """
        return cls(split, read_table(folder, split, notes), classes or mots_classes(split.categories))

    def gatherer(self, video: Video, stem: str, conventions: Conventions, notes: Notes) -> "MotsGatherer":
        """For one video, whose file is called `stem`."""
        return MotsGatherer(self, stem, Gatherer(video, conventions, notes), notes)


class MotsGatherer:
    """The tracks of one video from objects with MOTS's ids."""

    def __init__(self, reading: MotsReading, stem: str, gatherer: Gatherer, notes: Notes) -> None:
        self._reading, self._stem, self._gatherer, self._notes = reading, stem, gatherer, notes

    def add(self, identifier: int, number: int, frame: int, mask: Rle) -> None:
        """The object `identifier` of class `number` in a frame, from 0.

        Raises:
            DataError: no category has this class, the table lacks the track, or it is in the frame twice.
        """
        if number == MOTS_IGNORED:
            self._notes.say(REGION)
            for place, known in enumerate(self._reading.split.categories):
                # Below the ids of objects.
                self._gatherer.add(-1 - place, frame, mask, known.id)
                self._gatherer.mark_crowd(-1 - place)
            return
        if self._reading.table is None:
            category = category_of_class(number, self._reading.classes)
            self._gatherer.add(identifier, frame, mask, category)
            return
        track = identifier % INSTANCES
        facts = self._reading.table.get((self._stem, track))
        if facts is None:
            raise DataError(f"object {identifier}: tracks.csv has no track {track} of {self._stem}")
        self._gatherer.add(track, frame, mask, facts.category_id, facts.score)

    def tracks(self) -> VideoTracks:
        """All of them."""
        return self._gatherer.tracks()
