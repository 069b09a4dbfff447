"""One frame's decisions: which track is which detection, which shows which mask, which is born, which dies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.tracking.association import Assignment, associate
from vis_pipeline.tracking.lifecycle import births, frames_in_a_row, survivors, visible
from vis_pipeline.tracking.settings import KeptMask, TrackingSettings

HIDDEN = -1


@dataclass(frozen=True)
class Candidates:
    """What a frame offers: M detections and the predictions of N live tracks, stacked in this order.

    Attributes:
        overlaps: mask IoU [M + N, M + N] of all with all.
        areas: mask pixels [M + N].
        detection_scores: [M].
        tracking_scores: [N].
    """

    overlaps: NDArray[np.floating]
    areas: NDArray[np.integer]
    detection_scores: NDArray[np.floating]
    tracking_scores: NDArray[np.floating]


@dataclass(frozen=True)
class Decision:
    """What becomes of the N live tracks and the M detections.

    Attributes:
        assignment: detections joined with tracks.
        shown: int64 [N], index into the M + N stacked masks that the track shows, or :data:`HIDDEN`.
        born: int64, detections that start a track, strongest first.
        missed: int64 [N], frames in a row hidden, this one included.
        undetected: int64 [N], frames in a row without a detection, this one included.
        alive: bool [N], tracks that live on.
    """

    assignment: Assignment
    shown: NDArray[np.int64]
    born: NDArray[np.int64]
    missed: NDArray[np.int64]
    undetected: NDArray[np.int64]
    alive: NDArray[np.bool_]


def decide(
    candidates: Candidates,
    missed: NDArray[np.int64],
    undetected: NDArray[np.int64],
    settings: TrackingSettings,
) -> Decision:
    """Decide one frame from what it offers and from the tracks' counters [N] before it."""
    detections = len(candidates.detection_scores)
    assignment = associate(candidates.overlaps[:detections, detections:], settings.match_iou)
    shown = _shown(candidates, assignment, settings)
    detected = np.zeros(len(missed), dtype=np.bool_)
    detected[assignment.tracks] = True
    missed = frames_in_a_row(missed, shown != HIDDEN)
    undetected = frames_in_a_row(undetected, detected)
    alive = survivors(missed, undetected, settings)
    occupied = shown[alive & (shown != HIDDEN)]
    free = assignment.free_detections
    born = births(
        free[candidates.areas[free] > 0],
        candidates.detection_scores,
        candidates.overlaps[:detections, occupied],
        candidates.overlaps[:detections, :detections],
        settings.max_alive - int(alive.sum()),
        settings,
    )
    return Decision(assignment, shown, born, missed, undetected, alive)


def _shown(candidates: Candidates, assignment: Assignment, settings: TrackingSettings) -> NDArray[np.int64]:
    detections = len(candidates.detection_scores)
    tracks = len(candidates.tracking_scores)
    predicted = np.arange(tracks) + detections
    shown = predicted.copy()
    shown[assignment.tracks] = _kept(candidates, assignment, settings.kept_mask)
    detected = np.zeros(tracks, dtype=np.bool_)
    detected[assignment.tracks] = True
    seen = visible(detected, candidates.tracking_scores, candidates.areas[detections:], settings)
    # An undetected prediction that lies on a detected track's mask has been hijacked by that object.
    on_detected = candidates.overlaps[np.ix_(predicted, shown[detected])] >= settings.duplicate_iou
    return np.where(seen & (detected | ~on_detected.any(axis=1)), shown, HIDDEN)


def _kept(candidates: Candidates, assignment: Assignment, kept_mask: KeptMask) -> NDArray[np.int64]:
    predicted = assignment.tracks + len(candidates.detection_scores)
    if kept_mask is KeptMask.DETECTOR:
        return assignment.detections
    if kept_mask is KeptMask.TRACKER:
        return predicted
    detector_better = (
        candidates.detection_scores[assignment.detections] >= candidates.tracking_scores[assignment.tracks]
    )
    return np.where(detector_better, assignment.detections, predicted)
