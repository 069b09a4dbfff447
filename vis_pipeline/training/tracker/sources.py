"""Objects and frames of the splits that a tracker is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.data.images import read_image
from vis_pipeline.data.youtube_vis import Annotation, Video, read_split
from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle
from vis_pipeline.training.tracker.settings import SourceSettings

CLEAR_SHARE = 0.4
"""A mask is clear where its area is at least this share of the object's largest."""


@dataclass(frozen=True)
class TrainingVideo:
    """The frame files of one video, its frame size in pixels, and the indices of its objects."""

    paths: tuple[Path, ...]
    width: int
    height: int
    objects: tuple[int, ...]


@dataclass(frozen=True)
class TrainingObject:
    """One annotated object.

    Attributes:
        video: index of its video.
        category: (source, category id), so that classes of different splits stay apart.
        segmentations: one mask a frame, None where the object is hidden.
        boxes: float64 [T, 4], the masks' Min-max boxes as x, y, w, h in pixels; zeros where hidden.
        visible: the frames in which the object can be seen, ascending.
        clear: those in which its mask is not much smaller than elsewhere; exemplars come from these.
        hidden: the frames in which it cannot be seen, after it has been.
        crowded: those visible frames in which another object's box meets its own.
    """

    video: int
    category: tuple[int, int]
    segmentations: tuple[Rle | None, ...]
    boxes: NDArray[np.float64]
    visible: NDArray[np.int64]
    clear: NDArray[np.int64]
    hidden: NDArray[np.int64]
    crowded: NDArray[np.int64]


@dataclass(frozen=True)
class TrainingSet:
    """All videos and objects of the sources; `weights` [objects] sums to 1 and gives each source its share."""

    videos: tuple[TrainingVideo, ...]
    objects: tuple[TrainingObject, ...]
    weights: NDArray[np.float64]


def read_training_set(sources: Sequence[SourceSettings], least_area: float = 64.0) -> TrainingSet:
    """Read the splits; a mask of fewer than `least_area` pixels counts as hidden, and crowds are left out.

    Raises:
        DataError: a split cannot be used, has no annotations, or holds no visible object.
    """
    videos: list[TrainingVideo] = []
    objects: list[TrainingObject] = []
    weights: list[float] = []
    for number, source in enumerate(sources):
        split = read_split(source.split)
        by_video: dict[int, list[Annotation]] = {video.id: [] for video in split.videos}
        for annotation in split.annotations or ():
            if not annotation.iscrowd:
                by_video[annotation.video_id].append(annotation)
        first = len(objects)
        for video in split.videos:
            found = [_training_object(annotation, len(videos), number, least_area) for annotation in by_video[video.id]]
            found = [with_crowds(candidate, found) for candidate in found if len(candidate.visible)]
            indices = tuple(range(len(objects), len(objects) + len(found)))
            objects += found
            videos.append(TrainingVideo(_paths(video, source.frames), video.width, video.height, indices))
        count = len(objects) - first
        if not count:
            raise DataError(f"split {source.split}: no visible annotated object to train on")
        weights += [source.weight / count] * count
    return TrainingSet(tuple(videos), tuple(objects), np.asarray(weights) / np.sum(weights))


class FrameStore:
    """Decoded frames, uint8 [H, W, 3] BGR, kept in memory up to a limit (random access: no order of eviction helps)."""

    def __init__(self, videos: Sequence[TrainingVideo], limit_gigabytes: float) -> None:
        self._videos = videos
        self._free = limit_gigabytes * 2**30
        self._kept: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def frame(self, video: int, index: int) -> NDArray[np.uint8]:
        """The frame `index` of the video.

        Raises:
            DataError: the file is missing, damaged, or of another size than the split states.
        """
        key = (video, index)
        if key not in self._kept:
            image = self._read(video, index)
            if self._free < image.nbytes:
                return image
            self._free -= image.nbytes
            self._kept[key] = image
        return self._kept[key]

    def _read(self, video: int, index: int) -> NDArray[np.uint8]:
        entry = self._videos[video]
        image = read_image(entry.paths[index])
        if image.shape[:2] != (entry.height, entry.width):
            size = f"{image.shape[1]}x{image.shape[0]}"
            raise DataError(f"frame {entry.paths[index]}: {size} pixels, the split says {entry.width}x{entry.height}")
        return image


def _paths(video: Video, frames: Path) -> tuple[Path, ...]:
    return tuple(frames / name for name in video.file_names)


def _training_object(annotation: Annotation, video: int, source: int, least_area: float) -> TrainingObject:
    areas = np.array([0.0 if rle is None else masks.area([rle])[0] for rle in annotation.segmentations])
    frames = np.arange(len(areas))
    seen = areas >= least_area
    segmentations = tuple(rle if seen[frame] else None for frame, rle in enumerate(annotation.segmentations))
    boxes = np.zeros((len(segmentations), 4))
    boxes[seen] = masks.bounding_boxes([rle for rle in segmentations if rle is not None])
    return TrainingObject(
        video=video,
        category=(source, annotation.category_id),
        segmentations=segmentations,
        boxes=boxes,
        visible=frames[seen],
        clear=frames[seen & (areas >= CLEAR_SHARE * areas.max())],
        hidden=frames[~seen & (np.cumsum(seen) > 0)],
        crowded=frames[:0],
    )


def with_crowds(entry: TrainingObject, all_objects: Sequence[TrainingObject]) -> TrainingObject:
    """The object with its crowded frames, given all objects of its video."""
    low, high = entry.boxes[:, :2], entry.boxes[:, :2] + entry.boxes[:, 2:]
    met = np.zeros(len(entry.boxes), dtype=np.bool_)
    for other in all_objects:
        if other is not entry:
            other_low, other_high = other.boxes[:, :2], other.boxes[:, :2] + other.boxes[:, 2:]
            met |= (np.minimum(high, other_high) > np.maximum(low, other_low)).all(1)
    return replace(entry, crowded=entry.visible[met[entry.visible]])
