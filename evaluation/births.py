"""Births: how often a tracker begins a track, and how often for an object that it had tracked before."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.youtube_vis import by_video, parse_entries
from vis_pipeline.data.fit import checked_annotations, require_fit
from vis_pipeline.masks.track_iou import frame_intersections
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import TrackResult

LEAST_IOU = 0.5


@dataclass(frozen=True)
class Births:
    """Tracks and what they were born on.

    Attributes:
        births: tracks that show a mask.
        rebirths: those of them that are born on an object that another track had shown in an earlier frame.
    """

    births: int
    rebirths: int


def births(results: Sequence[TrackResult], split: Split) -> Births:
    """Count births and rebirths.

    In a frame a track shows the object, of whatever class, with which its mask has the highest IoU, if that is at least
    `LEAST_IOU`. It is born on the object that it shows first; one that never shows any is no rebirth. Crowds are no
    objects.

    Raises:
        DataError: the split has no annotations, or an annotation or a result does not fit it.
    """
    annotated = by_video([entry for entry in checked_annotations(split) if not entry.iscrowd])
    require_fit(results, split)
    predicted = by_video(results)
    born = reborn = 0
    for video in split.videos:
        tracks, objects = parse_entries(predicted[video.id], video), parse_entries(annotated[video.id], video)
        common = frame_intersections(tracks, objects)
        unions = tracks.areas[:, None] + objects.areas[None] - common
        born += int((tracks.masks >= 0).any(axis=1).sum())
        reborn += int(_reborn(common / np.maximum(unions, 1)).sum())
    return Births(born, reborn)


def _reborn(iou: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of N tracks are born on an object shown before, bool [N], by their IoU with G objects in F frames."""
    count, objects, frames = iou.shape
    if objects == 0 or frames == 0:
        return np.zeros(count, dtype=np.bool_)
    shown = (iou >= LEAST_IOU) & (np.arange(objects)[:, None] == iou.argmax(axis=1)[:, None])
    first_shown = np.where(shown.any(axis=2), shown.argmax(axis=2), frames)
    birth, own = first_shown.min(axis=1, initial=frames), first_shown.argmin(axis=1)
    return np.asarray((birth < frames) & (birth > first_shown.min(axis=0, initial=frames)[own]))
