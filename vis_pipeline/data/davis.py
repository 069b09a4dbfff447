"""DAVIS-style folders (`frames/<sequence>/*.jpg`, `masks/<sequence>/*.png`) as a YouTube-VIS split."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vis_pipeline import masks
from vis_pipeline.data.frames import image_paths
from vis_pipeline.data.youtube_vis import Annotation, Category, Split, Video
from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle

OBJECT = Category(1, "object")
VOID = 255


def davis_split(frames_dir: Path, masks_dir: Path | None) -> Split:
    """One video a sequence, ids from 1 in the order of the names, one category; without masks, no annotations.

    Raises:
        DataError: no sequences, a sequence without frames, a frame without its mask, or a mask that does not fit.
    """
    if not frames_dir.is_dir():
        raise DataError(f"frames {frames_dir}: not a folder")
    folders = sorted(folder for folder in frames_dir.iterdir() if folder.is_dir())
    if not folders:
        raise DataError(f"frames {frames_dir}: holds no folders, one a sequence")
    videos = tuple(_video(identifier, folder) for identifier, folder in enumerate(folders, start=1))
    if masks_dir is None:
        return Split(videos, (OBJECT,), None)
    annotations: list[Annotation] = []
    for video in videos:
        annotations += _annotations(video, masks_dir, first_id=len(annotations) + 1)
    return Split(videos, (OBJECT,), tuple(annotations))


def object_indices(image: Image.Image) -> NDArray[np.uint8]:
    """The object of each pixel, uint8 [H, W], 0 for none: palette indices as they are (void is none), else 1 for white.

    A grey image with values other than 0 and 255 holds indices too.

    Raises:
        DataError: the image is in colour.
    """
    if image.mode not in ("1", "L", "P"):
        raise DataError(f"a mask must be black and white, grey or palette-indexed, not {image.mode}")
    indices = np.array(image, dtype=np.uint8)
    if image.mode != "P" and not ((indices > 0) & (indices < VOID)).any():
        return (indices > 0).astype(np.uint8)
    indices[indices == VOID] = 0
    return indices


def _video(identifier: int, folder: Path) -> Video:
    paths = image_paths(folder)
    width, height = _open(paths[0]).size
    return Video(identifier, width, height, len(paths), tuple(f"{folder.name}/{path.name}" for path in paths))


def _annotations(video: Video, masks_dir: Path, first_id: int) -> list[Annotation]:
    frames = [_indices(video, masks_dir / Path(name).with_suffix(".png")) for name in video.file_names]
    objects = sorted({int(index) for frame in frames for index in np.unique(frame)} - {0})
    return [_annotation(video, frames, index, first_id + offset) for offset, index in enumerate(objects)]


def _indices(video: Video, path: Path) -> NDArray[np.uint8]:
    try:
        indices = object_indices(_open(path))
    except (DataError, OSError) as error:
        raise DataError(f"sequence {video.name}, mask {path.name}: {error}") from error
    if indices.shape != (video.height, video.width):
        height, width = indices.shape
        raise DataError(
            f"sequence {video.name}, mask {path.name}: is {width}x{height}, the frames are {video.width}x{video.height}"
        )
    return indices


def _annotation(video: Video, frames: Sequence[NDArray[np.uint8]], index: int, identifier: int) -> Annotation:
    rles: list[Rle | None] = [
        masks.encode((frame == index)[None])[0] if (frame == index).any() else None for frame in frames
    ]
    areas = tuple(None if rle is None else float(masks.area([rle])[0]) for rle in rles)
    return Annotation(identifier, video.id, OBJECT.id, tuple(rles), areas, iscrowd=False)


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"cannot be read as an image: {path}") from error
