"""What decisions know of the tracks of a video: one row a track, and how a frame changes it."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Weight of the newest frame in a track's velocity and in its usual score; the first one counts alone.
VELOCITY_RATE = 0.5
SCORE_RATE = 0.3


@dataclass(frozen=True)
class TrackTable:
    """N tracks between two frames.

    Attributes:
        detections: int64 [N], detections so far.
        undetected: int64 [N], frames in a row that were looked at without one.
        since: int64 [N], frames of the video since the last one; those that could not be read count here too.
        hidden: int64 [N], frames in a row in which nothing was shown.
        lost: bool [N], not searched for.
        shots: int64 [N], the shot of the video that the track began in: its place means nothing in another one.
        usual_scores: float64 [N], running mean of the tracking scores in frames with a detection; NaN before the first.
        boxes: float64 [N, 4], x, y, w, h of the last detection's mask.
        areas: float64 [N], its pixels.
        velocities: float64 [N, 2], x, y, pixels a frame, from detection to detection.
    """

    detections: NDArray[np.int64]
    undetected: NDArray[np.int64]
    since: NDArray[np.int64]
    hidden: NDArray[np.int64]
    lost: NDArray[np.bool_]
    shots: NDArray[np.int64]
    usual_scores: NDArray[np.float64]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]
    velocities: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.detections)

    def later(self, frames: int) -> "TrackTable":
        """The same rows after some frames that could not be read."""
        return replace(self, since=self.since + frames)

    def select(self, tracks: NDArray[np.int64]) -> "TrackTable":
        """Some of the rows, in the order of `tracks`."""
        return TrackTable(*(getattr(self, field.name)[tracks] for field in fields(self)))

    def followed_by(self, other: "TrackTable") -> "TrackTable":
        """These rows and, after them, the other's."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return TrackTable(*(np.concatenate(pair) for pair in pairs))

    def displacements(self, momentum: float) -> NDArray[np.float64]:
        """How far motion has carried each track since its last detection by the frame that comes, float64 [N, 2].

        The velocity falls to `momentum` of itself with each frame without a detection.
        """
        frames = (self.since + 1).astype(np.float64)
        travelled = frames if momentum == 1 else (1 - momentum**frames) / (1 - momentum)
        return self.velocities * travelled[:, None]

    def moved_boxes(self, momentum: float) -> NDArray[np.float64]:
        """The last detections' boxes where motion has carried them by the frame that comes, x, y, w, h [N, 4]."""
        return self.boxes + np.pad(self.displacements(momentum), ((0, 0), (0, 2)))


def newborn(boxes: NDArray[np.float64], areas: NDArray[np.integer], shot: int) -> TrackTable:
    """Rows of tracks that begin in a shot with detections: boxes [N, 4] x, y, w, h, and pixels [N] of their masks."""
    count = len(areas)
    zeros = np.zeros(count, dtype=np.int64)
    return TrackTable(
        detections=zeros + 1,
        undetected=zeros,
        since=zeros,
        hidden=zeros,
        lost=np.zeros(count, dtype=np.bool_),
        shots=zeros + shot,
        usual_scores=np.full(count, np.nan),
        boxes=boxes.astype(np.float64),
        areas=areas.astype(np.float64),
        velocities=np.zeros((count, 2)),
    )


def no_tracks() -> TrackTable:
    """The table before the first frame."""
    return newborn(np.zeros((0, 4)), np.zeros(0, dtype=np.int64), 0)


def detected(
    table: TrackTable,
    tracks: NDArray[np.int64],
    boxes: NDArray[np.float64],
    areas: NDArray[np.integer],
    scores: NDArray[np.floating],
) -> TrackTable:
    """The table after some tracks were detected.

    Args:
        table: before.
        tracks: indices [K].
        boxes: [K, 4], x, y, w, h of the detections' masks.
        areas: [K], their pixels.
        scores: [K], the tracking scores of this frame; NaN where there was no prediction.
    """
    rows = table.select(tracks)
    first = rows.detections == 1
    step = (_centres(boxes) - _centres(rows.boxes)) / (rows.since + 1)[:, None]
    pace = np.where(first, 1.0, VELOCITY_RATE)[:, None]
    before = np.where(np.isnan(rows.usual_scores), scores, rows.usual_scores)
    usual = np.where(np.isnan(scores), before, before + SCORE_RATE * (scores - before))
    return replace(
        table,
        detections=_put(table.detections, tracks, rows.detections + 1),
        undetected=_put(table.undetected, tracks, 0),
        since=_put(table.since, tracks, 0),
        hidden=_put(table.hidden, tracks, 0),
        lost=_put(table.lost, tracks, False),
        usual_scores=_put(table.usual_scores, tracks, usual),
        boxes=_put(table.boxes, tracks, boxes),
        areas=_put(table.areas, tracks, areas),
        velocities=_put(table.velocities, tracks, rows.velocities + pace * (step - rows.velocities)),
    )


def undetected(table: TrackTable, tracks: NDArray[np.int64], shown: NDArray[np.bool_]) -> TrackTable:
    """The table after some tracks [K] went without a detection; those `shown` [K] show their prediction."""
    return replace(
        table,
        undetected=_put(table.undetected, tracks, table.undetected[tracks] + 1),
        since=_put(table.since, tracks, table.since[tracks] + 1),
        hidden=_put(table.hidden, tracks, np.where(shown, 0, table.hidden[tracks] + 1)),
    )


def _centres(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return boxes[:, :2] + boxes[:, 2:] / 2


def _put(values: NDArray[Any], places: NDArray[np.int64], new: object) -> NDArray[Any]:
    changed: NDArray[Any] = values.copy()
    changed[places] = new
    return changed
