"""Tracks that show what a better track of their class shows."""

from collections.abc import Sequence

import numpy as np

from vis_pipeline.masks import Rle
from vis_pipeline.masks.affinity import share_inside
from vis_pipeline.masks.track_iou import parse_tracks, track_iou
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings


def without_duplicates(
    segmentations: Sequence[Sequence[Rle | None]],
    labels: Sequence[int],
    scores: Sequence[float],
    settings: TrackingSettings,
) -> list[int]:
    """Indices of at most `max_tracks` tracks of one video, best first, without those that say what a better one says.

    Such a track is of the better one's class and overlaps it by `merge_iou` over the whole video, or lies inside it by
    `merge_share` of its pixels.
    """
    if not segmentations:
        return []
    runs = parse_tracks(segmentations, len(segmentations[0]))
    volumes = runs.areas.sum(axis=1)
    overlaps = track_iou(runs, runs)
    same = overlaps >= settings.merge_iou
    same |= share_inside(overlaps, volumes, volumes) >= settings.merge_share
    kept: list[int] = []
    for index in np.argsort(-np.asarray(scores), kind="stable").tolist():
        if len(kept) == settings.max_tracks:
            break
        if not any(labels[other] == labels[index] and same[index, other] for other in kept):
            kept.append(index)
    return kept
