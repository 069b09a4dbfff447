"""The histories and events of a session's tracks as the records of a checkpoint, and back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, TypeVar

from vis_pipeline.masks import Rle
from vis_pipeline.trackers.lifecycle.events import Event
from vis_pipeline.trackers.lifecycle.history import TrackHistory

ValueT = TypeVar("ValueT")


def record_after(
    frame: int, histories: Sequence[TrackHistory], joined: Sequence[tuple[int, int]], events: Iterable[Event]
) -> dict[str, Any]:
    """What the histories hold of the frames after `frame`, what was joined in them, and their events, in JSON form."""
    size = next((mask["size"] for history in histories for mask in history.masks.values()), None)
    tracks = [entry for entry in (_entry(frame, history) for history in histories) if entry["masks"]]
    return {
        "size": size,
        "count": len(histories),
        "joined": [list(pair) for pair in joined],
        "tracks": tracks,
        "events": [event.to_json() for event in events],
    }


def replayed(records: Iterable[Mapping[str, Any]]) -> tuple[list[TrackHistory], list[Event]]:
    """The histories, in the order of births, and the events of the records of all frames."""
    histories: list[TrackHistory] = []
    events: list[Event] = []
    for record in records:
        histories += map(TrackHistory, range(len(histories), record["count"]))
        # What was joined has its frames of this record where it went.
        for now, before in record["joined"]:
            histories[before].go_on_with(histories[now])
        for entry in record["tracks"]:
            _replay(histories[entry["track"]], entry, record["size"])
        events += map(Event.from_json, record["events"])
    return histories, events


def _entry(frame: int, history: TrackHistory) -> dict[str, Any]:
    return {
        "track": history.number,
        "masks": [[index, mask["counts"]] for index, mask in _after(frame, history.masks)],
        "detected": [
            [index, label, history.detection_scores[index], history.agreements[index]]
            for index, label in _after(frame, history.labels)
        ],
        "predicted": [list(pair) for pair in _after(frame, history.predicted_scores)],
    }


def _after(frame: int, values: dict[int, ValueT]) -> Iterator[tuple[int, ValueT]]:
    """The entries of later frames; frames were entered in order."""
    later = list(takewhile(lambda index: index > frame, reversed(values)))
    return ((index, values[index]) for index in reversed(later))


def _replay(history: TrackHistory, entry: Mapping[str, Any], size: list[int]) -> None:
    for index, counts in entry["masks"]:
        history.masks[index] = Rle(size=size, counts=counts)
    for index, label, score, agreement in entry["detected"]:
        history.note_detection(index, label, score, agreement)
    for index, score in entry["predicted"]:
        history.predicted_scores[index] = score
