"""Why each target is what it is: the decisions of a frame in words."""

from collections.abc import Iterator, Sequence

from vis_pipeline.trackers.lifecycle.events import Event, EventKind
from vis_pipeline.trackers.siam_rcnn.decision import NONE, Absence, Decision, Refusal


def frame_events(
    frame: int,
    decision: Decision,
    detected: Sequence[float],
    chosen: Sequence[float],
    numbers: Sequence[int],
    born: Sequence[int],
) -> Iterator[Event]:
    """The decisions of one frame.

    `detected` are the scores of its M detections, `chosen` those of its N targets' choices, `numbers` those of the
    targets, `born` those of the frame's births.
    """
    for target, number in enumerate(numbers):
        absence, detection = Absence(decision.absences[target]), int(decision.found[target])
        if absence != Absence.NONE:
            yield Event(frame, EventKind.HIDDEN, number, reason=_words(absence), score=chosen[target])
        elif detection == NONE:
            yield Event(frame, EventKind.PREDICTED, number, score=chosen[target])
        else:
            overlap = float(decision.overlaps[target])
            yield Event(frame, EventKind.MATCHED, number, detection, overlap, "re-detection", detected[detection])
        if decision.ended[target]:
            yield Event(frame, EventKind.ENDED, number, reason="too long without a detection")
        elif decision.crowded_out[target]:
            yield Event(frame, EventKind.ENDED, number, reason="makes room for another target")
    for number, detection in zip(born, decision.born.tolist(), strict=True):
        yield Event(frame, EventKind.BORN, number, detection, score=detected[detection])
    for detection, refusal in enumerate(decision.refused.tolist()):
        if refusal != Refusal.NONE:
            reason = _words(Refusal(refusal))
            yield Event(frame, EventKind.REFUSED, detection=detection, reason=reason, score=detected[detection])


def _words(reason: Absence | Refusal) -> str:
    return reason.name.lower().replace("_", " ")
