"""What became of each result, frame by frame, as the events of its video tell."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import FiniteFloat

from vis_pipeline.data.entries import Entry, parsed
from vis_pipeline.errors import DataError
from vis_pipeline.trackers.lifecycle.events import EventKind


class FrameState(str, Enum):
    """What a track is in a frame, as one letter."""

    NOTHING = "."
    SHOWN = "s"
    DETECTED = "d"
    PREDICTED = "p"
    HIDDEN = "h"
    LOST = "l"
    CUT = "c"


_STATES: Mapping[str, FrameState] = {
    EventKind.BORN: FrameState.DETECTED,
    EventKind.MATCHED: FrameState.DETECTED,
    EventKind.PREDICTED: FrameState.PREDICTED,
    EventKind.HIDDEN: FrameState.HIDDEN,
    EventKind.CUT: FrameState.CUT,
}
# The mask has the last word on whether a track shows.
_WITH_MASK: Mapping[FrameState, FrameState] = {
    state: FrameState.DETECTED for state in FrameState if state is not FrameState.PREDICTED
}
_WITHOUT_MASK: Mapping[FrameState, FrameState] = {
    FrameState.DETECTED: FrameState.NOTHING,
    FrameState.PREDICTED: FrameState.CUT,
}
_LAST = (EventKind.REPORTED, EventKind.DROPPED)


class Note(Entry):
    """One event as a run stores it; see :class:`vis_pipeline.trackers.lifecycle.events.Event`."""

    frame: int
    kind: str
    track: int | None = None
    detection: int | None = None
    affinity: FiniteFloat | None = None
    reason: str | None = None
    score: FiniteFloat | None = None


@dataclass(frozen=True)
class VideoStories:
    """The events of a video, sorted by whom they are about; those of each in the order of frames.

    Attributes:
        results: of each result; those of tracks that go on as it are among them. None where no event names the result.
        dropped: of each track that is not reported.
        refused: of detections that started no track.
    """

    results: tuple[tuple[Note, ...] | None, ...]
    dropped: tuple[tuple[Note, ...], ...]
    refused: tuple[Note, ...]


def sorted_events(events: Sequence[Any], results: int, source: str) -> VideoStories:
    """Sort the events of a video of so many results.

    Raises:
        DataError: one is no event; the line begins with `source`.
    """
    notes = [_note(content, index, source) for index, content in enumerate(events)]
    own: defaultdict[int, list[Note]] = defaultdict(list)
    went_on_as: dict[int, int] = {}
    number_of: dict[int, int] = {}
    for note in notes:
        if note.track is None:
            continue
        own[note.track].append(note)
        if note.kind == EventKind.RECALLED and (named := re.match(r"track (\d+) ", note.reason or "")):
            went_on_as[int(named[1])] = note.track
        elif note.kind == EventKind.REPORTED and (named := re.fullmatch(r"result (\d+)", note.reason or "")):
            number_of[int(named[1])] = note.track
    whole: defaultdict[int, list[Note]] = defaultdict(list)
    for number, told in own.items():
        owner = _followed(went_on_as, number)
        whole[owner] += told if owner == number else [note for note in told if note.kind not in _LAST]
    return VideoStories(
        results=tuple(_in_order(whole[number_of[index]]) if index in number_of else None for index in range(results)),
        dropped=tuple(
            _in_order(told) for told in whole.values() if any(note.kind == EventKind.DROPPED for note in told)
        ),
        refused=tuple(note for note in notes if note.kind == EventKind.REFUSED),
    )


def states(notes: Sequence[Note] | None, shown: Sequence[bool]) -> str:
    """A letter of :class:`FrameState` for each frame, from a track's events and the frames in which it has a mask.

    Where nothing is known of a track, its masks are neither detected nor predicted.
    """
    if notes is None:
        return "".join(FrameState.SHOWN.value if mask else FrameState.NOTHING.value for mask in shown)
    told = _told(notes, len(shown))
    letters = []
    for state, mask in zip(told, shown, strict=True):
        letters.append((_WITH_MASK if mask else _WITHOUT_MASK).get(state, state).value)
    return "".join(letters)


def scores(notes: Sequence[Note] | None, length: int) -> list[int | None]:
    """What stood behind the track in each frame, detection or prediction, scored, in hundredths."""
    found: list[int | None] = [None] * length
    for note in notes or ():
        if note.score is not None and 0 <= note.frame < length and note.kind in _STATES:
            found[note.frame] = round(100 * note.score)
    return found


def _told(notes: Iterable[Note], length: int) -> list[FrameState]:
    told = [FrameState.NOTHING] * length
    lost_since: int | None = None
    for note in notes:
        if note.kind == EventKind.LOST:
            lost_since = note.frame + 1
            continue
        if lost_since is not None and note.kind not in _LAST:
            told[lost_since : note.frame] = [FrameState.LOST] * len(told[lost_since : note.frame])
            lost_since = None
        if note.kind in _STATES and 0 <= note.frame < length:
            told[note.frame] = _STATES[note.kind]
    if lost_since is not None:
        told[lost_since:] = [FrameState.LOST] * len(told[lost_since:])
    return told


def _followed(went_on_as: Mapping[int, int], number: int) -> int:
    seen = {number}
    while (following := went_on_as.get(number)) is not None and following not in seen:
        number = following
        seen.add(number)
    return number


def _in_order(notes: list[Note]) -> tuple[Note, ...]:
    return tuple(sorted(notes, key=lambda note: note.frame))


def _note(content: Any, index: int, source: str) -> Note:
    try:
        return parsed(Note, content)
    except DataError as error:
        raise DataError(f"{source}: event {index}: {error}; remove the file to do without it") from error
