"""Which predictions of undetected tracks are believed: each rule by itself, and which of them speaks first."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.trackers.lifecycle.settings import BeliefSettings
from vis_pipeline.trackers.lifecycle.table import TrackTable

Flags = NDArray[np.bool_]


class Doubt(IntEnum):
    """Why a prediction is not believed; the first reason in this order counts."""

    NONE = 0
    LOST = 1
    EMPTY = 2
    TOO_LONG = 3
    SCORE = 4
    USUAL_SCORE = 5
    LIKENESS = 6
    BOX = 7
    AREA = 8
    DISTANCE = 9
    ON_DETECTION = 10
    ON_PREDICTION = 11


@dataclass(frozen=True)
class Prediction:
    """What a frame's predictions of N tracks show.

    Attributes:
        scores: tracking scores [N].
        likeness: of the colours below each mask to the track's own, 0 to 1 [N].
        areas: pixels of the masks [N].
        boxes: Min-max boxes of the masks, x, y, w, h in pixels [N, 4].
        located: boxes of stage 1, x, y, w, h in pixels [N, 4].
        on_detections: largest part of each mask that lies inside one detection [N].
        on_predictions: part of each mask inside each other [N, N].
    """

    scores: NDArray[np.floating]
    likeness: NDArray[np.floating]
    areas: NDArray[np.integer]
    boxes: NDArray[np.float64]
    located: NDArray[np.float64]
    on_detections: NDArray[np.float64]
    on_predictions: NDArray[np.float64]


def doubts(
    prediction: Prediction, table: TrackTable, undetected: Flags, momentum: float, settings: BeliefSettings
) -> NDArray[np.int64]:
    """The first :class:`Doubt` about each prediction, int64 [N]; that of a detected track means nothing.

    `table` is that of the N tracks before this frame, `undetected` [N] says which have no detection in it, `momentum`
    is that of their motion.
    """
    rules = {
        Doubt.LOST: table.lost,
        Doubt.EMPTY: prediction.areas == 0,
        Doubt.TOO_LONG: table.undetected >= settings.frames,
        # The score of SiamMask's classification branch tells occlusion (SiamMask multi-object, section 5).
        Doubt.SCORE: prediction.scores < settings.score,
        Doubt.USUAL_SCORE: prediction.scores < settings.usual_score * table.usual_scores,
        Doubt.LIKENESS: prediction.likeness < settings.likeness,
        Doubt.BOX: off_its_box(prediction.boxes, prediction.located, settings),
        Doubt.AREA: changed_area(prediction.areas, table, settings),
        Doubt.DISTANCE: too_far(prediction.boxes, table, momentum, settings),
        Doubt.ON_DETECTION: prediction.on_detections > settings.covered,
    }
    found = np.select(list(rules.values()), [int(rule) for rule in rules], int(Doubt.NONE))
    believed = (found == Doubt.NONE) & undetected
    claims = prediction.likeness / (1 + table.undetected)
    found[on_a_stronger_one(prediction.on_predictions, claims, believed, settings)] = Doubt.ON_PREDICTION
    return found


def off_its_box(boxes: NDArray[np.float64], located: NDArray[np.float64], settings: BeliefSettings) -> Flags:
    """Predictions whose mask (its box, x, y, w, h [N, 4]) and stage 1's located box [N, 4] do not agree."""
    low = np.maximum(boxes[:, :2], located[:, :2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], located[:, :2] + located[:, 2:])
    common = np.clip(high - low, 0, None).prod(axis=1)
    union = boxes[:, 2:].prod(axis=1) + located[:, 2:].prod(axis=1) - common
    return np.asarray(common < settings.box_iou * union)


def changed_area(areas: NDArray[np.integer], table: TrackTable, settings: BeliefSettings) -> Flags:
    """Predictions much larger or smaller, in pixels [N], than the last detected mask."""
    return np.asarray((areas > settings.area_change * table.areas) | (areas * settings.area_change < table.areas))


def too_far(boxes: NDArray[np.float64], table: TrackTable, momentum: float, settings: BeliefSettings) -> Flags:
    """Predictions (boxes x, y, w, h [N, 4]) farther from where motion puts the track than they may stray by now."""
    expected = table.moved_boxes(momentum)
    away = boxes[:, :2] + boxes[:, 2:] / 2 - expected[:, :2] - expected[:, 2:] / 2
    allowed = settings.distance + settings.distance_growth * table.since
    return np.asarray(np.linalg.norm(away, axis=1) > allowed * np.sqrt(table.areas))


def on_a_stronger_one(
    shares: NDArray[np.float64], claims: NDArray[np.floating], believed: Flags, settings: BeliefSettings
) -> Flags:
    """Of believed predictions that lie on each other all but the one with the strongest claim, bool [N].

    Args:
        shares: [N, N], the part of each prediction that lies inside each other one.
        claims: [N]; of equal claims the earlier track's is the stronger.
        believed: [N], which of them count.
        settings: `covered` decides.
    """
    taken = np.zeros(len(claims), dtype=np.bool_)
    kept: list[int] = []
    order = np.argsort(-claims, kind="stable")
    for track in order[believed[order]].tolist():
        taken[track] = bool((np.maximum(shares[track, kept], shares[kept, track]) > settings.covered).any())
        if not taken[track]:
            kept.append(track)
    return taken
