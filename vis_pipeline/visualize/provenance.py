"""Which masks of a run were detected and which only predicted, as its events tell."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from vis_pipeline.data.entries import Entry, parsed
from vis_pipeline.errors import DataError
from vis_pipeline.trackers.lifecycle.events import EventKind


class _EventEntry(Entry):
    frame: int
    kind: str
    track: int | None = None
    reason: str | None = None


def predicted_frames(events: Sequence[Any], results: int, source: str) -> tuple[frozenset[int], ...]:
    """For each of a video's `results` the frames that show a prediction which no detection confirmed.

    `events` are those of the video in JSON form (:meth:`vis_pipeline.trackers.lifecycle.events.Event.to_json`); a
    result that no event names has none.

    Raises:
        DataError: they are no events; the line begins with `source`.
    """
    predicted: defaultdict[int, set[int]] = defaultdict(set)
    tracks: dict[int, int] = {}
    for index, content in enumerate(events):
        try:
            event = parsed(_EventEntry, content)
        except DataError as error:
            raise DataError(f"{source}: event {index}: {error}; remove the file to do without it") from error
        if event.track is None:
            continue
        if event.kind == EventKind.PREDICTED:
            predicted[event.track].add(event.frame)
        elif event.kind == EventKind.REPORTED and (named := re.fullmatch(r"result (\d+)", event.reason or "")):
            tracks[int(named[1])] = event.track
    return tuple(frozenset(predicted[tracks[result]]) if result in tracks else frozenset() for result in range(results))
