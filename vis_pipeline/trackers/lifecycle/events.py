"""Why each track is what it is: every decision of a frame in words, and what became of each track in the end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from vis_pipeline.trackers.lifecycle.belief import Doubt
from vis_pipeline.trackers.lifecycle.birth_and_death import Refusal
from vis_pipeline.trackers.lifecycle.decision import HIDDEN, SWEEPS, Candidates, Decision
from vis_pipeline.trackers.lifecycle.table import TrackTable


class EventKind(str, Enum):
    """What happened."""

    BORN = "born"
    MATCHED = "matched"
    PREDICTED = "predicted"
    HIDDEN = "hidden"
    LOST = "lost"
    ENDED = "ended"
    REFUSED = "refused"
    RECALLED = "recalled"
    CUT = "cut"
    REPORTED = "reported"
    DROPPED = "dropped"
    CORRECTED = "corrected"


@dataclass(frozen=True)
class Event:
    """One decision.

    Attributes:
        frame: its index; of an event of the end that of the last frame.
        kind: what happened.
        track: number of the track in the order of births, from 0; None where a detection started none.
        detection: index of the detection in its frame, where there is one.
        affinity: of the track and its detection in the sweep that joined them; by masks at most 1.5, since the place
            has a say; of a track that is known again the score of recognition.
        score: of the detection, or of the prediction where no detection stands behind the decision.
        reason: what joined them (`masks`, `place and colours`); why a mask is hidden, a detection refused, a track left
            out; what a report became (`result N`); of a track that is known again, which one goes on as it; what was
            corrected by hand.
    """

    frame: int
    kind: EventKind
    track: int | None = None
    detection: int | None = None
    affinity: float | None = None
    reason: str | None = None
    score: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The event without what it does not have."""
        content = {key: value for key, value in asdict(self).items() if value is not None}
        for figure in ("affinity", "score"):
            if figure in content:
                content[figure] = round(content[figure], 3)
        return {**content, "kind": self.kind.value}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Event":
        """What :meth:`to_json` gave, with affinity and score as they were rounded."""
        return cls(**{**content, "kind": EventKind(content["kind"])})


def frame_events(
    frame: int,
    decision: Decision,
    candidates: Candidates,
    before: TrackTable,
    numbers: Sequence[int],
    born: Sequence[int],
) -> Iterator[Event]:
    """The decisions of one frame; `numbers` are those of the N tracks before it, `born` those of its births."""
    matched = decision.assignment
    detected, predicted = candidates.detection_scores.tolist(), candidates.tracking_scores.tolist()
    pairs = zip(matched.tracks.tolist(), matched.detections.tolist(), strict=True)
    for (track, detection), affinity, sweep in zip(
        pairs, matched.affinities.tolist(), matched.sweeps.tolist(), strict=True
    ):
        yield Event(frame, EventKind.MATCHED, numbers[track], detection, affinity, SWEEPS[sweep], detected[detection])
    for track in matched.free_tracks.tolist():
        if decision.shown[track] != HIDDEN:
            yield Event(frame, EventKind.PREDICTED, numbers[track], score=predicted[track])
        elif not before.lost[track]:
            reason = _words(Doubt(decision.doubts[track]))
            yield Event(frame, EventKind.HIDDEN, numbers[track], reason=reason, score=predicted[track])
        if not decision.alive[track]:
            yield Event(frame, EventKind.ENDED, numbers[track], reason="too long without a detection")
        elif decision.table.lost[track] and not before.lost[track]:
            yield Event(frame, EventKind.LOST, numbers[track], reason="hidden for too long")
    for number, detection in zip(born, decision.born.tolist(), strict=True):
        yield Event(frame, EventKind.BORN, number, detection, score=detected[detection])
    for detection, refusal in zip(matched.free_detections.tolist(), decision.refusals.tolist(), strict=True):
        if refusal != Refusal.NONE:
            reason = _words(Refusal(refusal))
            yield Event(frame, EventKind.REFUSED, detection=detection, reason=reason, score=detected[detection])


def _words(reason: Doubt | Refusal) -> str:
    return reason.name.lower().replace("_", " ")
