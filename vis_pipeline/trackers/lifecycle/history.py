"""All that is kept of a track until the video ends, and what of it is reported then."""

from dataclasses import dataclass, field

from vis_pipeline.masks import Rle


@dataclass
class TrackHistory:
    """One track; the keys are frames.

    Attributes:
        number: its place in the order of births, from 0.
        masks: what it showed.
        labels: category id of the detection, in the frames that have one.
        detection_scores: score of that.
        agreements: mask IoU of the prediction with that; 0 where there was no prediction.
        predicted_scores: tracking score, in the frames that show a prediction which no detection confirmed.
        votes: summed detection scores of each category id.
    """

    number: int
    masks: dict[int, Rle] = field(default_factory=dict)
    labels: dict[int, int] = field(default_factory=dict)
    detection_scores: dict[int, float] = field(default_factory=dict)
    agreements: dict[int, float] = field(default_factory=dict)
    predicted_scores: dict[int, float] = field(default_factory=dict)
    votes: dict[int, float] = field(default_factory=dict)

    def note_detection(self, frame: int, label: int, score: float, agreement: float) -> None:
        """Note the detection of a frame."""
        self.labels[frame] = label
        self.detection_scores[frame] = score
        self.agreements[frame] = agreement
        self.votes[label] = self.votes.get(label, 0.0) + score

    def go_on_with(self, later: "TrackHistory") -> None:
        """Take over all that a later track has, also in place of what is here of its frames; nothing is left there."""
        for name in ("masks", "labels", "detection_scores", "agreements", "predicted_scores"):
            mine, taken = getattr(self, name), getattr(later, name)
            merged = {frame: value for frame, value in mine.items() if frame not in later.masks} | taken
            # In the order of the frames, as if one track had noted them.
            setattr(self, name, dict(sorted(merged.items())))
        for name in ("masks", "labels", "detection_scores", "agreements", "predicted_scores"):
            getattr(later, name).clear()
        later.votes.clear()
        # Summed frame by frame, in the order in which further frames will go on.
        self.votes.clear()
        for frame, label in self.labels.items():
            self.votes[label] = self.votes.get(label, 0.0) + self.detection_scores[frame]


def is_confirmed(history: TrackHistory, least_detections: int, least_score: float) -> bool:
    """Whether a track was detected often enough, and at least once for sure."""
    scores = history.detection_scores.values()
    return len(scores) >= least_detections and max(scores) >= least_score


def believed_in_the_end(history: TrackHistory, last_frame: int, bridge_iou: float) -> list[int]:
    """The frames, rising, whose prediction is reported once the video has ended with `last_frame`.

    Predictions between two detections are, if the later one agrees with what was predicted for its own frame: so the
    track is likely to have been on its object before, too, even where it was hidden in between (on crowds leaving those
    out costs 2 to 5 points of AP). Those after the last detection are only if the video ended while they were shown: no
    detection says that they were wrong. All other tails and bridges are cut.
    """
    believed: list[int] = []
    unconfirmed: list[int] = []
    for frame in sorted(history.masks):
        if frame in history.predicted_scores:
            unconfirmed.append(frame)
            continue
        if history.agreements[frame] >= bridge_iou:
            believed += unconfirmed
        unconfirmed = []
    return believed + (unconfirmed if unconfirmed and unconfirmed[-1] == last_frame else [])


def reported_masks(history: TrackHistory, believed: list[int], length: int) -> tuple[Rle | None, ...]:
    """A mask or None for each frame of the video: those with a detection, and the `believed` predictions."""
    frames = {*history.labels, *believed}
    return tuple(history.masks[frame] if frame in frames else None for frame in range(length))
