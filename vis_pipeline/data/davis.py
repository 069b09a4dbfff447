"""DAVIS-style folders (`frames/<sequence>/*.jpg`, `masks/<sequence>/*.png`) as a YouTube-VIS split."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.data.image_files import image_paths
from vis_pipeline.data.label_images import (
    frame_size,
    object_annotation,
    object_masks,
    object_tracks,
    read_label_image,
)
from vis_pipeline.data.sequence_names import sequence_names
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Annotation, Category, Split, Video

OBJECT = Category(1, "object")
VOID = 255


def davis_split(frames_dir: Path, masks_dir: Path | None, listing: Path | None = None) -> Split:
    """One video a sequence, ids from 1 in the order of the names, one category; without masks, no annotations.

    With a `listing` (see :func:`sequence_names`) only the sequences that it names, in its order.

    Raises:
        DataError: no sequences, one that is not there or has no frames, a frame without its mask, or a mask that does
            not fit.
    """
    names = sequence_names(frames_dir, listing, holds="frames")
    videos = tuple(_video(identifier, frames_dir / name) for identifier, name in enumerate(names, start=1))
    if masks_dir is None:
        return Split(videos, (OBJECT,), None)
    annotations: list[Annotation] = []
    for video in videos:
        annotations += _annotations(video, masks_dir, first_id=len(annotations) + 1)
    return Split(videos, (OBJECT,), tuple(annotations))


def label_maps(stored: NDArray[np.uint8], palette: bool) -> NDArray[np.uint8]:
    """The object of each pixel of a sequence, uint8 [F, H, W], from its masks as they are stored: 0 none, 255 void.

    Grey masks (no `palette`) that hold nothing but 0 and 255 in all frames are black and white, and white is object 1.
    One frame does not tell: all objects may be out of sight in it, and only void is left.
    """
    if not palette and not ((stored > 0) & (stored < VOID)).any():
        return (stored > 0).astype(np.uint8)
    return stored


def _video(identifier: int, folder: Path) -> Video:
    paths = image_paths(folder)
    width, height = frame_size(paths[0])
    return Video(identifier, width, height, len(paths), tuple(f"{folder.name}/{path.name}" for path in paths))


def _annotations(video: Video, masks_dir: Path, first_id: int) -> list[Annotation]:
    read = [_stored(video, masks_dir / Path(name).with_suffix(".png")) for name in video.file_names]
    frames = label_maps(np.stack([values for values, _ in read]), any(palette for _, palette in read))
    tracks = object_tracks([object_masks(frame * (frame != VOID)) for frame in frames])
    return [
        object_annotation(identifier, video, OBJECT.id, segmentations)
        for identifier, segmentations in enumerate(tracks.values(), start=first_id)
    ]


def _stored(video: Video, path: Path) -> tuple[NDArray[np.uint8], bool]:
    try:
        return read_label_image(path, video)
    except DataError as error:
        raise DataError(f"sequence {video.name}, mask {path.name}: {error}") from error
