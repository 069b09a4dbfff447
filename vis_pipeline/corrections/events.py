"""The decisions on a video's tracks, carried over to what edits made of them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vis_pipeline.corrections.apply import Corrected
from vis_pipeline.corrections.edit_list import Delete, Edit, Handle, Join, Rename, Split
from vis_pipeline.data.entries import Entry, parsed
from vis_pipeline.errors import DataError
from vis_pipeline.trackers.lifecycle.events import Event, EventKind

_BY_HAND = "by hand"


class _Decision(Entry):
    frame: int
    kind: str
    track: int | None = None
    reason: str | None = None


def corrected_events(
    events: Sequence[Any], edits: Sequence[tuple[int, Edit]], corrected: Corrected
) -> list[Mapping[str, Any]]:
    """The events of an edited video in JSON form, from those of the video before.

    A decision follows the frame of the track that it is about: into the track that shows this frame now, or, where none
    does, out of the list. A track that keeps its index keeps its number, and those that it was known again from; what
    was split off gets the next free one.
    Each edit is an event of the kind `corrected` itself, and in the end every number is `reported` or `dropped` anew.
    Tracks without a report stay as they are, and so do results that no event speaks of.

    Raises:
        DataError: they are no events of this video.
    """
    decisions = [_decision(content, index, corrected) for index, content in enumerate(events)]
    numbers = _Numbers(decisions)
    carried: list[Mapping[str, Any]] = []
    for content, decision in zip(events, decisions, strict=True):
        origin = None if decision.track is None else numbers.result(decision.track)
        if origin is None or origin >= len(corrected.owners) or decision.kind == EventKind.DROPPED:
            carried.append(content)
        elif decision.kind != EventKind.REPORTED and (owner := int(corrected.owners[origin, decision.frame])) >= 0:
            handle = corrected.handles[owner]
            # What was known again later keeps the number that it had before.
            number = decision.track if handle == Handle(origin) else numbers.of(handle)
            carried += [] if number is None else [{**content, "track": number}]
    last = corrected.owners.shape[1] - 1
    made = [*_of_edits(edits, numbers, last), *_of_the_end(edits, corrected, numbers, last)]
    return [*carried, *(event.to_json() for event in made)]


class _Numbers:
    """The number, in the order of births, of every part of a track that an edit names."""

    def __init__(self, decisions: Sequence[_Decision]) -> None:
        self._results: dict[int, int] = {}
        self._known_as: dict[int, int] = {}
        for decision in decisions:
            if decision.track is None or decision.reason is None:
                continue
            if decision.kind == EventKind.REPORTED and (named := re.fullmatch(r"result (\d+)", decision.reason)):
                self._results[decision.track] = int(named[1])
            elif decision.kind == EventKind.RECALLED and (named := re.match(r"track (\d+) ", decision.reason)):
                self._known_as[int(named[1])] = decision.track
        self._known = {Handle(result): number for number, result in self._results.items()}
        self._next = 1 + max((decision.track for decision in decisions if decision.track is not None), default=-1)

    def result(self, number: int) -> int | None:
        """The result that a number became, maybe as one that was known again; None where it became none."""
        seen = set[int]()
        while number in self._known_as and number not in seen:
            seen.add(number)
            number = self._known_as[number]
        return self._results.get(number)

    def of(self, handle: Handle) -> int | None:
        """Its number; None for a part of a result that no event speaks of."""
        if handle not in self._known and Handle(handle.track) in self._known:
            self._known[handle] = self._next
            self._next += 1
        return self._known.get(handle)


def _decision(content: Any, index: int, corrected: Corrected) -> _Decision:
    try:
        decision = parsed(_Decision, content)
        if decision.track is not None and not 0 <= decision.frame < corrected.owners.shape[1]:
            raise DataError(f"frame {decision.frame} of {corrected.owners.shape[1]}")
        return decision
    except DataError as error:
        raise DataError(f"event {index}: {error}") from error


def _of_edits(edits: Sequence[tuple[int, Edit]], numbers: _Numbers, last: int) -> list[Event]:
    """What was done by hand, as long as it left a track."""
    events: list[Event] = []
    parts: dict[int, int] = {}

    def note(frame: int, handle: Handle, reason: str) -> None:
        number = numbers.of(handle)
        if number is not None:
            events.append(Event(frame, EventKind.CORRECTED, number, reason=f"{reason} {_BY_HAND}"))

    for _, edit in edits:
        if isinstance(edit, Join):
            for other in edit.handles[1:]:
                number = numbers.of(other)
                note(last, edit.handles[0], f"{'another' if number is None else f'track {number}'} joined to it")
        elif isinstance(edit, Split):
            parts[edit.track] = parts.get(edit.track, 0) + 1
            note(edit.frame, Handle(edit.track, parts[edit.track]), f"split from track {numbers.of(edit.handle)}")
        elif isinstance(edit, Rename):
            note(last, edit.handle, f"renamed to class {edit.category}")
    return events


def _of_the_end(edits: Sequence[tuple[int, Edit]], corrected: Corrected, numbers: _Numbers, last: int) -> list[Event]:
    """What became of each number."""
    fates: list[tuple[Handle, EventKind, str]] = [
        (handle, EventKind.REPORTED, f"result {place}") for place, handle in enumerate(corrected.handles)
    ]
    for _, edit in edits:
        if isinstance(edit, Join):
            number = numbers.of(edit.handles[0])
            reason = f"joined to {'another' if number is None else f'track {number}'} {_BY_HAND}"
            fates += [(handle, EventKind.DROPPED, reason) for handle in edit.handles[1:]]
        elif isinstance(edit, Delete):
            fates.append((edit.handle, EventKind.DROPPED, f"deleted {_BY_HAND}"))
    return [
        Event(last, kind, number, reason=reason)
        for handle, kind, reason in fates
        if (number := numbers.of(handle)) is not None
    ]
