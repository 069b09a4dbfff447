"""One frame's decisions: which track is which detection, which shows which mask, which is born, which ends."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.masks.affinity import box_giou, share_inside
from vis_pipeline.trackers.lifecycle.association import Assignment, Sweep, associate
from vis_pipeline.trackers.lifecycle.belief import Doubt, Prediction, doubts
from vis_pipeline.trackers.lifecycle.birth_and_death import births, lost, ranks, survivors
from vis_pipeline.trackers.lifecycle.settings import KeptMask, TrackingSettings
from vis_pipeline.trackers.lifecycle.table import TrackTable, detected, newborn, undetected

HIDDEN = -1
SWEEPS = ("masks", "place and colours")
# Of the affinity by place and colours beside that by masks.
PLACE_WEIGHT = 0.5


@dataclass(frozen=True)
class Candidates:
    """What a frame offers: M detections and the predictions of N tracks, stacked in this order.

    Attributes:
        overlaps: mask IoU [M + N, M + N] of all with all; the mask of a lost track is empty.
        expected: mask IoU [M, N] of the detections and the tracks' last detected masks, moved as motion says.
        likeness: [M + N, N], how alike the colours below all masks are to those of the tracks, 0 to 1.
        areas: mask pixels [M + N].
        boxes: Min-max boxes of the masks, x, y, w, h in pixels [M + N, 4].
        located: stage 1's boxes of the predictions, x, y, w, h in pixels [N, 4].
        detection_scores: [M].
        tracking_scores: [N].
        labels: int64 [M], category ids of the detections.
    """

    overlaps: NDArray[np.floating]
    expected: NDArray[np.floating]
    likeness: NDArray[np.floating]
    areas: NDArray[np.integer]
    boxes: NDArray[np.float64]
    located: NDArray[np.float64]
    detection_scores: NDArray[np.floating]
    tracking_scores: NDArray[np.floating]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Decision:
    """What becomes of the N tracks and the M detections.

    Attributes:
        assignment: detections joined with tracks, by the `SWEEPS`.
        agreements: float64 [K], mask IoU of the joined pairs' predictions and detections.
        shown: int64 [N], index into the M + N stacked masks that the track shows, or :data:`HIDDEN`.
        doubts: int64 [N], the :class:`~vis_pipeline.trackers.lifecycle.belief.Doubt` about an undetected track's
            prediction.
        born: int64, detections that start a track, strongest first.
        refusals: int64, for each free detection the
            :class:`~vis_pipeline.trackers.lifecycle.birth_and_death.Refusal` to start one.
        table: the N tracks after the frame.
        alive: bool [N], tracks that go on, searched for or lost.
        newborn: the tracks that begin here.
    """

    assignment: Assignment
    agreements: NDArray[np.float64]
    shown: NDArray[np.int64]
    doubts: NDArray[np.int64]
    born: NDArray[np.int64]
    refusals: NDArray[np.int64]
    table: TrackTable
    alive: NDArray[np.bool_]
    newborn: TrackTable


def decide(candidates: Candidates, table: TrackTable, shot: int, settings: TrackingSettings) -> Decision:
    """Decide one frame of a shot from what it offers and from what is known of the tracks before it."""
    count = len(candidates.detection_scores)
    inside = share_inside(candidates.overlaps, candidates.areas, candidates.areas)
    assignment = associate(_sweeps(candidates, table, shot, settings), ranks(table, settings))
    doubted = _doubts(candidates, assignment, table, inside, settings)
    shown = _shown(candidates, assignment, doubted, settings)
    after = _after(candidates, assignment, table, shown != HIDDEN, shot, settings)
    alive = survivors(after, settings)
    # Two tracks never share one object: what a detection shows may not be shown already, nor be a part of what is.
    showing = shown[shown != HIDDEN]
    same = candidates.overlaps[:count] >= settings.duplicate_iou
    part = inside[:count] >= settings.duplicate_share
    born, refusals = births(
        assignment.free_detections,
        candidates.detection_scores,
        candidates.areas[:count],
        np.asarray(same[:, showing].any(axis=1) | part[:, assignment.detections].any(axis=1)),
        (same | part)[:, :count],
        settings.max_alive - int(alive.sum()),
        settings,
    )
    return Decision(
        assignment=assignment,
        agreements=candidates.overlaps[assignment.detections, assignment.tracks + count].astype(np.float64),
        shown=shown,
        doubts=doubted,
        born=born,
        refusals=refusals,
        table=after,
        alive=alive,
        newborn=newborn(candidates.boxes[born], candidates.areas[born], shot),
    )


def _sweeps(candidates: Candidates, table: TrackTable, shot: int, settings: TrackingSettings) -> tuple[Sweep, Sweep]:
    """By masks, SiamMask's or the last detected one where motion carried it, whichever fits better; then without them.

    Masks say nothing of a body that comes out from behind another, or of a thin one that moved by its own width: there
    decides how near the boxes are, to where the track was last or should be by now, and how alike the colours. No place
    says anything of a track of another shot.
    """
    count = len(candidates.detection_scores)
    likeness = candidates.likeness[:count] * (table.shots == shot)
    overlaps = np.maximum(candidates.overlaps[:count, count:], candidates.expected)
    boxes = candidates.boxes[:count]
    moved = table.moved_boxes(settings.motion.momentum)
    nearness = (1 + np.maximum(box_giou(boxes, table.boxes), box_giou(boxes, moved))) / 2
    by_masks, by_place = likeness * overlaps, likeness * (1 + nearness) / 2
    # Where masks allow several pairs, as when two cross, the place has a say too.
    eligible = by_masks >= settings.match_iou
    return (
        Sweep(by_masks + eligible * PLACE_WEIGHT * by_place, settings.match_iou),
        Sweep(by_place, settings.match_kinship),
    )


def _doubts(
    candidates: Candidates,
    assignment: Assignment,
    table: TrackTable,
    inside: NDArray[np.float64],
    settings: TrackingSettings,
) -> NDArray[np.int64]:
    count = len(candidates.detection_scores)
    predicted = np.arange(len(table)) + count
    free = np.zeros(len(table), dtype=np.bool_)
    free[assignment.free_tracks] = True
    prediction = Prediction(
        scores=candidates.tracking_scores,
        likeness=candidates.likeness[predicted, np.arange(len(table))],
        areas=candidates.areas[predicted],
        boxes=candidates.boxes[predicted],
        located=candidates.located,
        on_detections=inside[predicted, :count].max(axis=1, initial=0.0),
        on_predictions=inside[np.ix_(predicted, predicted)],
    )
    return doubts(prediction, table, free, settings.motion.momentum, settings.belief)


def _shown(
    candidates: Candidates, assignment: Assignment, doubted: NDArray[np.int64], settings: TrackingSettings
) -> NDArray[np.int64]:
    """The mask that each track shows; the tracker's own is kept only where it lies on the detection."""
    predicted = np.arange(len(doubted)) + len(candidates.detection_scores)
    shown = np.where(doubted == Doubt.NONE, predicted, HIDDEN)
    own = predicted[assignment.tracks]
    detector = candidates.overlaps[assignment.detections, own] < settings.match_iou
    if settings.kept_mask is KeptMask.DETECTOR:
        detector[:] = True
    elif settings.kept_mask is KeptMask.BETTER_SCORED:
        scores = candidates.detection_scores[assignment.detections]
        detector |= scores >= candidates.tracking_scores[assignment.tracks]
    shown[assignment.tracks] = np.where(detector, assignment.detections, own)
    return shown


def _after(
    candidates: Candidates,
    assignment: Assignment,
    table: TrackTable,
    seen: NDArray[np.bool_],
    shot: int,
    settings: TrackingSettings,
) -> TrackTable:
    """The tracks' rows after the frame."""
    found, owners, free = assignment.detections, assignment.tracks, assignment.free_tracks
    predicted = candidates.areas[len(candidates.detection_scores) :] > 0
    scores = np.where(predicted, candidates.tracking_scores, np.nan)[owners]
    after = detected(table, owners, candidates.boxes[found], candidates.areas[found], scores)
    after = undetected(after, free, seen[free])
    return replace(after, lost=lost(after, shot, settings))
