"""Birth, visibility and death of tracks, as pure functions over arrays."""

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.tracking.settings import TrackingSettings


def births(
    candidates: NDArray[np.int64],
    scores: NDArray[np.floating],
    overlap_with_tracks: NDArray[np.floating],
    overlap_with_detections: NDArray[np.floating],
    room: int,
    settings: TrackingSettings,
) -> NDArray[np.int64]:
    """The unmatched detections that start a track, strongest first (equal scores: the earlier one).

    Args:
        candidates: indices [C] of the unmatched detections.
        scores: [M], of all detections.
        overlap_with_tracks: mask IoU [M, N] of all detections and the masks that live tracks occupy.
        overlap_with_detections: mask IoU [M, M].
        room: how many may start.
        settings: `birth_score` and `duplicate_iou` decide.
    """
    strong = candidates[scores[candidates] >= settings.birth_score]
    fresh = strong[(overlap_with_tracks[strong] < settings.duplicate_iou).all(axis=1)]
    born: list[int] = []
    for candidate in fresh[np.argsort(-scores[fresh], kind="stable")]:
        if len(born) < room and (overlap_with_detections[candidate, born] < settings.duplicate_iou).all():
            born.append(int(candidate))
    return np.asarray(born, dtype=np.int64)


def visible(
    detected: NDArray[np.bool_],
    tracking_scores: NDArray[np.floating],
    mask_areas: NDArray[np.integer],
    settings: TrackingSettings,
) -> NDArray[np.bool_]:
    """Which tracks show a mask in this frame, bool [N]: those detected, and those whose tracking score says so.

    The score of SiamMask's classification branch tells occlusion (SiamMask multi-object, section 5). A track whose
    predicted mask is empty is hidden whatever its score.
    """
    return detected | ((tracking_scores >= settings.visible_score) & (mask_areas > 0))


def survivors(
    missed: NDArray[np.int64], undetected: NDArray[np.int64], settings: TrackingSettings
) -> NDArray[np.bool_]:
    """Which tracks live on, bool [N], given their frames in a row hidden (`missed`) and without a detection."""
    return (missed <= settings.max_missed) & (undetected <= settings.max_undetected)


def frames_in_a_row(counts: NDArray[np.int64], reset: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Counters [N] after one more frame: zero where `reset`, one more elsewhere."""
    return np.where(reset, 0, counts + 1)
