"""The rules behind decisions in words, with the values that the run's settings gave them."""

import re
from collections.abc import Mapping
from typing import Any

from vis_pipeline.trackers.lifecycle.events import EventKind

# {name} is a setting of `tracking`, {belief.name} one of its `belief`, {targets.name} one of the Siam R-CNN tracker's.
_WORDS: Mapping[tuple[str, str], str] = {
    ("born", ""): "Born: no track took this detection, and it is neither too weak ({birth_score}) nor a double of what "
    "a track or a stronger birth shows ({duplicate_iou}, {duplicate_share}).",
    (
        "matched",
        "masks",
    ): "Detected: joined with a detection by masks. The affinity is the better of two IoUs, with the "
    "prediction and with the last mask moved on, times the likeness of the colours, and a share for the place; it "
    "takes {match_iou}.",
    (
        "matched",
        "place and colours",
    ): "Detected: masks did not join it, place and colours did. The affinity is likeness "
    "of the colours times nearness of the boxes; it takes {match_kinship}.",
    ("matched", "re-detection"): "Detected: its re-detection lies on this detection, the affinity is their boxes' IoU; "
    "it takes {targets.on_iou}.",
    ("predicted", ""): "Predicted: no detection took it, and nothing speaks against the tracker's own mask.",
    ("hidden", "lost"): "Hidden: it is lost and not searched for.",
    ("hidden", "empty"): "Hidden: the predicted mask has no pixel.",
    ("hidden", "too long"): "Hidden: predictions are believed for so many frames in a row only: {belief.frames}.",
    ("hidden", "score"): "Hidden: the prediction scores below {belief.score}.",
    (
        "hidden",
        "usual score",
    ): "Hidden: the prediction scores far below what the track's usually do; the least share is {belief.usual_score}.",
    ("hidden", "likeness"): "Hidden: the colours below the predicted mask are not the track's; the least likeness is "
    "{belief.likeness}.",
    ("hidden", "box"): "Hidden: the predicted mask and the box that was located disagree; the least IoU is "
    "{belief.box_iou}.",
    ("hidden", "area"): "Hidden: the predicted mask is too large or too small beside the last detected one; at most "
    "{belief.area_change} times.",
    ("hidden", "distance"): "Hidden: the predicted mask is too far from where motion puts the track; at most "
    "{belief.distance} roots of its area, and more with each frame.",
    ("hidden", "on detection"): "Hidden: too much of the predicted mask lies on a detection that another track has; at "
    "most {belief.covered}.",
    (
        "hidden",
        "on prediction",
    ): "Hidden: too much of the predicted mask lies on a prediction with a stronger claim; at most {belief.covered}.",
    ("hidden", "not present"): "Hidden: its re-detection says that it is not there.",
    (
        "hidden",
        "on another target",
    ): "Hidden: another target that scores better shows here; at most {targets.shared_iou} of IoU.",
    ("hidden", "covered"): "Hidden: other targets cover all of its mask.",
    ("hidden", "no mask"): "Hidden: the box that was found has no mask.",
    ("lost", ""): "Lost: hidden for more frames in a row than {max_hidden}. It is no longer searched for, but taken up "
    "again where it was last detected.",
    ("ended", "too long without a detection"): "Ended: without a detection for more frames than {max_undetected}.",
    ("ended", "makes room for another target"): "Ended: it makes room for another target; at most "
    "{targets.max_targets}.",
    ("refused", "empty"): "The detection's mask has no pixel.",
    ("refused", "weak"): "Its score is below {birth_score}.",
    ("refused", "on track"): "It shows what a track shows already ({duplicate_iou}, {duplicate_share}).",
    ("refused", "on target"): "It shows what a target shows already ({duplicate_iou}).",
    ("refused", "on birth"): "It shows what a stronger birth of this frame shows ({duplicate_iou}, {duplicate_share}).",
    ("refused", "known"): "It may be a target that is away ({targets.known_score}); it waits.",
    ("refused", "full"): "There are as many tracks alive as may be ({max_alive}).",
    ("recalled", ""): "Known again: the memory says that this track is the one that was away. The affinity is the "
    "score of recognition.",
    ("cut", ""): "Not reported here: no later detection confirmed this prediction ({bridge_iou}).",
    ("reported", ""): "Reported: detected often enough ({min_detections}) and surely enough ({confirm_score}).",
    ("dropped", "too few detections, or none that is sure"): "Not reported: detected less often than {min_detections}, "
    "or never with {confirm_score}.",
    ("dropped", "duplicate of a better track, or one too many"): "Not reported: double of a better track of its class "
    "({merge_iou}, {merge_share}), or one more than {max_tracks}.",
}
_PLAIN = {kind.value for kind in EventKind}


def rule_in_words(kind: str, reason: str | None, settings: Mapping[str, Any]) -> str:
    """The rule that an event of this kind and reason follows.

    `settings` are those of the run's pipeline (`tracking` and `tracker`); of one that they do not have only the name is
    written. A rule that is not known is what the event says itself.
    """
    words = _WORDS.get((kind, reason or "")) or _WORDS.get((kind, ""))
    if words is None:
        title = kind.capitalize() if kind in _PLAIN else kind
        return f"{title}: {reason}." if reason else f"{title}."
    return re.sub(r"\{([\w.]+)\}", lambda named: _setting(named[1], settings), words)


def _setting(name: str, settings: Mapping[str, Any]) -> str:
    place: Any = settings.get("tracker") if name.startswith("targets.") else settings.get("tracking")
    for key in name.split("."):
        place = place.get(key) if isinstance(place, Mapping) else None
    known = isinstance(place, int | float) and not isinstance(place, bool)
    return f"{name} {place:g}" if known else name
