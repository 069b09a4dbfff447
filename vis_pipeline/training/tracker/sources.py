"""Objects and frames of the data sets that a tracker is trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.data.coco import read_coco
from vis_pipeline.data.davis import davis_split
from vis_pipeline.data.splits import read_split
from vis_pipeline.data.youtube_vos import youtube_vos_split
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.masks import Rle
from vis_pipeline.settings.misspelt import did_you_mean
from vis_pipeline.structures.splits import Annotation, Split, Video
from vis_pipeline.training.tracker.source_settings import (
    CocoSource,
    DavisSource,
    SourceSettings,
    VideoSource,
    VosSource,
    annotation_path,
)

CLEAR_SHARE = 0.4
"""A mask is clear where its area is at least this share of the object's largest."""


@dataclass(frozen=True)
class TrainingVideo:
    """The frame files of one video, its frame size in pixels, the indices of its objects, and a name for messages."""

    paths: tuple[Path, ...]
    width: int
    height: int
    objects: tuple[int, ...]
    name: str


@dataclass(frozen=True)
class TrainingObject:
    """One annotated object.

    Attributes:
        video: index of its video.
        category: (source, category id), so that classes of different sources stay apart.
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


def read_training_set(sources: Sequence[SourceSettings]) -> TrainingSet:
    """Read the sources; crowds are left out.

    Raises:
        ConfigError: there is no source, or one names a video that it does not have.
        DataError: a source cannot be used, lacks a frame's file, or holds no visible object.
    """
    if not sources:
        raise ConfigError("sources: empty; name at least one data set to train on")
    videos: list[TrainingVideo] = []
    objects: list[TrainingObject] = []
    weights: list[float] = []
    for number, source in enumerate(sources):
        split, folder = _read(source)
        chosen = _chosen(split.videos, source)
        _require_files((video for _, video in chosen), folder, source)
        annotations = _by_video(split)
        first = len(objects)
        for name, video in chosen:
            found = [_training_object(entry, len(videos), number, source.least_area) for entry in annotations[video.id]]
            found = [with_crowds(candidate, found) for candidate in found if len(candidate.visible)]
            indices = tuple(range(len(objects), len(objects) + len(found)))
            objects += found
            paths = tuple(folder / file for file in video.file_names)
            label = _label(source) if isinstance(source, CocoSource) else f"{_label(source)}, {name}"
            videos.append(TrainingVideo(paths, video.width, video.height, indices, label))
        count = len(objects) - first
        if not count:
            raise DataError(f"{_label(source)}: no visible annotated object to train on")
        weights += [source.weight / count] * count
    return TrainingSet(tuple(videos), tuple(objects), np.asarray(weights) / np.sum(weights))


def with_crowds(entry: TrainingObject, all_objects: Sequence[TrainingObject]) -> TrainingObject:
    """The object with its crowded frames, given all objects of its video."""
    low, high = entry.boxes[:, :2], entry.boxes[:, :2] + entry.boxes[:, 2:]
    met = np.zeros(len(entry.boxes), dtype=np.bool_)
    for other in all_objects:
        if other is not entry:
            other_low, other_high = other.boxes[:, :2], other.boxes[:, :2] + other.boxes[:, 2:]
            met |= (np.minimum(high, other_high) > np.maximum(low, other_low)).all(1)
    return replace(entry, crowded=entry.visible[met[entry.visible]])


def _read(source: SourceSettings) -> tuple[Split, Path]:
    """The source as a split, and the folder that its file names start from."""
    match source:
        case VideoSource():
            return read_split(source.split), source.frames
        case VosSource():
            return youtube_vos_split(source.meta, source.annotations, source.frames), source.frames
        case CocoSource():
            return read_coco(source.instances), source.images
        case DavisSource():
            return davis_split(source.frames, source.masks), source.frames


def _label(source: SourceSettings) -> str:
    kinds = {"youtube_vis": "split", "youtube_vos": "YouTube-VOS", "coco": "COCO file", "davis": "masks"}
    return f"{kinds[source.type]} {annotation_path(source)}"


def _chosen(videos: Sequence[Video], source: SourceSettings) -> list[tuple[str, Video]]:
    """The videos to take, with their names: a video's folder, an image's file name."""
    still = isinstance(source, CocoSource)
    named = [(video.file_names[0] if still else video.name, video) for video in videos]
    known = {name for name, _ in named}
    for key, names in (("only", source.only), ("without", source.without)):
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known)
                raise ConfigError(f"{_label(source)}: `{key}` names '{name}', which is not in it{hint}")
    kept = (set(source.only) or known) - set(source.without)
    return [(name, video) for name, video in named if name in kept]


def _require_files(videos: Iterable[Video], folder: Path, source: SourceSettings) -> None:
    """Every frame's file is there: by the listings of the folders, which is quick for a hundred thousand frames."""
    wanted: dict[Path, set[str]] = {}
    for video in videos:
        for path in map(Path, video.file_names):
            wanted.setdefault(folder / path.parent, set()).add(path.name)
    missing = sorted(
        parent / name
        for parent, names in wanted.items()
        for name in names.difference(entry.name for entry in (parent.iterdir() if parent.is_dir() else ()))
    )
    if missing:
        more = f" (and {len(missing) - 1} more files)" if len(missing) > 1 else ""
        raise DataError(
            f"{_label(source)}: no frame {missing[0]}{more}; give the folder that its file names start from"
        )


def _by_video(split: Split) -> dict[int, list[Annotation]]:
    """The annotations that are no crowds, under their videos' ids."""
    found: dict[int, list[Annotation]] = {video.id: [] for video in split.videos}
    for annotation in split.annotations or ():
        if not annotation.iscrowd:
            found[annotation.video_id].append(annotation)
    return found


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
        hidden=frames[(areas == 0) & (np.cumsum(seen) > 0)],
        crowded=frames[:0],
    )
