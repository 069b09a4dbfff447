"""Intersection over union of whole tracks, by run-length masks alone: no mask is ever decoded to pixels.

A track is a sequence with one entry a frame: an :class:`~vis_pipeline.masks.Rle`, or None where the object is absent.
Tracks that are compared are of one video: they have the same number of frames, and their masks the same size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle
from vis_pipeline.masks.compiled import compiled
from vis_pipeline.masks.run_lengths import DamagedRleError, Runs, parse

Track = Sequence[Rle | None]
# A pair is given up on only where its bound is this much short of what it needs, whatever the rounding did.
MARGIN = 1 - 1e-9


class DamagedTrackError(DataError):
    """A mask that cannot be read: `track` and `frame` are its indices, `fault` says the frame and what is wrong."""

    def __init__(self, track: int, frame: int, fault: str) -> None:
        self.track, self.frame, self.fault = track, frame, f"frame {frame}: {fault}"
        self._made_of = track, frame, fault
        super().__init__(f"track {track}, {self.fault}")

    def __reduce__(self) -> tuple[type["DamagedTrackError"], tuple[int, int, str]]:
        return type(self), self._made_of


@dataclass(frozen=True)
class TrackRuns:
    """N tracks over the F frames of one video, read once.

    Attributes:
        runs: the masks of all tracks, one track after another.
        masks: int32 [N, F], the index in `runs` of each frame's mask, -1 where the track is null.
        areas: int64 [N, F], pixels; 0 where the track is null.
    """

    runs: Runs
    masks: NDArray[np.int32]
    areas: NDArray[np.int64]


def parse_tracks(tracks: Sequence[Track], frames: int) -> TrackRuns:
    """Read the masks of tracks of `frames` entries each.

    Raises:
        DamagedTrackError: a mask is damaged, or of another size than the first.
    """
    shown = [rle for track in tracks for rle in track if rle is not None]
    visible = np.array([rle is not None for track in tracks for rle in track], dtype=np.bool_)
    visible = visible.reshape(len(tracks), frames)
    size = shown[0]["size"] if shown else [0, 0]
    try:
        _require_size(shown, size)
        runs = parse([rle["counts"] for rle in shown], *size)
    except DamagedRleError as error:
        track, frame = np.argwhere(visible)[error.mask]
        raise DamagedTrackError(int(track), int(frame), str(error)) from error
    masks = np.full(visible.shape, -1, dtype=np.int32)
    masks[visible] = np.arange(len(shown))
    areas = np.zeros(visible.shape, dtype=np.int64)
    areas[visible] = runs.areas
    return TrackRuns(runs, masks, areas)


def mean_areas(areas: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean over the frames in which an object has pixels, float64 [N], from areas [N, F]; 0 where it never has any."""
    means: NDArray[np.float64] = areas.sum(axis=1) / np.maximum(np.count_nonzero(areas, axis=1), 1)
    return means


def track_iou(
    first: TrackRuns, second: TrackRuns, least: float = 0.0, pairs: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Video-level IoU of every pair, float64 [N, M]: the sum of intersections over the sum of unions of all frames.

    Where one track of a pair is null the other's area counts in the union. Two tracks without a pixel have IoU 0. So
    may a pair whose IoU is below `least`: once areas and boxes show that it cannot be reached, nobody looks further.
    With `pairs`, bool [N, M], all others have IoU 0.
    """
    if pairs is None:
        pairs = np.ones((len(first.masks), len(second.masks)), dtype=np.bool_)
    iou = np.zeros(pairs.shape, dtype=np.float64)
    _fill_iou(
        pairs, least, first.masks, first.areas, *_arrays(first), second.masks, second.areas, *_arrays(second), iou
    )
    return iou


def frame_intersections(first: TrackRuns, second: TrackRuns) -> NDArray[np.int64]:
    """Common pixels of every pair in every frame, int64 [N, M, F]."""
    common = np.zeros((len(first.masks), *second.masks.shape), dtype=np.int64)
    _fill_intersections(first.masks, *_arrays(first), second.masks, *_arrays(second), common)
    return common


def _arrays(tracks: TrackRuns) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    return tracks.runs.edges, tracks.runs.offsets, tracks.runs.boxes


def _require_size(masks: Sequence[Rle], size: list[int]) -> None:
    sizes = [rle["size"] for rle in masks]
    if sizes.count(size) < len(sizes):
        index, other = next((i, other) for i, other in enumerate(sizes) if other != size)
        raise DamagedRleError(f"mask of size {other}, but others of the video have {size}", index)


@compiled
def _fill_iou(
    pairs: NDArray[np.bool_],
    least: float,
    first: NDArray[np.int32],
    first_areas: NDArray[np.int64],
    first_edges: NDArray[np.int32],
    first_offsets: NDArray[np.int64],
    first_boxes: NDArray[np.int32],
    second: NDArray[np.int32],
    second_areas: NDArray[np.int64],
    second_edges: NDArray[np.int32],
    second_offsets: NDArray[np.int64],
    second_boxes: NDArray[np.int32],
    iou: NDArray[np.float64],
) -> None:
    frames = first.shape[1]
    bounds = np.empty(frames, dtype=np.int64)
    for a in range(len(first)):
        for b in range(len(second)):
            if not pairs[a, b]:
                continue
            both = first_areas[a].sum() + second_areas[b].sum()
            possible = 0
            for frame in range(frames):
                bounds[frame] = 0
                if first_areas[a, frame] and second_areas[b, frame]:
                    shared = _shared_box(first_boxes[first[a, frame]], second_boxes[second[b, frame]])
                    bounds[frame] = min(first_areas[a, frame], second_areas[b, frame], shared)
                possible += bounds[frame]
            # With i common pixels the IoU is i / (both - i), which grows with i.
            for frame in range(frames):
                if possible < least * (both - possible) * MARGIN:
                    possible = 0
                    break
                if bounds[frame]:
                    i, j = first[a, frame], second[b, frame]
                    possible -= bounds[frame]
                    possible += _common(
                        first_edges[first_offsets[i] : first_offsets[i + 1]],
                        second_edges[second_offsets[j] : second_offsets[j + 1]],
                    )
            if possible:
                iou[a, b] = possible / (both - possible)


@compiled
def _fill_intersections(
    first: NDArray[np.int32],
    first_edges: NDArray[np.int32],
    first_offsets: NDArray[np.int64],
    first_boxes: NDArray[np.int32],
    second: NDArray[np.int32],
    second_edges: NDArray[np.int32],
    second_offsets: NDArray[np.int64],
    second_boxes: NDArray[np.int32],
    common: NDArray[np.int64],
) -> None:
    for a, b, frame in np.ndindex(common.shape):
        i, j = first[a, frame], second[b, frame]
        if i >= 0 and j >= 0 and _shared_box(first_boxes[i], second_boxes[j]):
            common[a, b, frame] = _common(
                first_edges[first_offsets[i] : first_offsets[i + 1]],
                second_edges[second_offsets[j] : second_offsets[j + 1]],
            )


@compiled
def _shared_box(first: NDArray[np.int32], second: NDArray[np.int32]) -> int:
    """Pixels that two boxes (x1, y1, x2, y2; exclusive) have in common."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return int(max(width, 0)) * int(max(height, 0))


@compiled
def _common(first: NDArray[np.int32], second: NDArray[np.int32]) -> int:
    """Common pixels of two masks, each given by its edges."""
    total = i = j = 0
    while i < len(first) and j < len(second):
        begin, end = max(first[i], second[j]), min(first[i + 1], second[j + 1])
        total += max(end - begin, 0)
        if first[i + 1] < second[j + 1]:
            i += 2
        else:
            j += 2
    return total
