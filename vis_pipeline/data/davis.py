"""DAVIS-style folders (`frames/<sequence>/*.jpg`, `masks/<sequence>/*.png`) as a YouTube-VIS split."""

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


def stored_values(image: Image.Image) -> NDArray[np.uint8]:
    """A mask as it is stored, uint8 [H, W]: palette indices, or grey values.

    Raises:
        DataError: the image is in colour.
    """
    if image.mode not in ("1", "L", "P"):
        raise DataError(f"a mask must be black and white, grey or palette-indexed, not {image.mode}")
    return np.array(image, dtype=np.uint8)


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
    width, height = _open(paths[0]).size
    return Video(identifier, width, height, len(paths), tuple(f"{folder.name}/{path.name}" for path in paths))


def _annotations(video: Video, masks_dir: Path, first_id: int) -> list[Annotation]:
    read = [_stored(video, masks_dir / Path(name).with_suffix(".png")) for name in video.file_names]
    frames = label_maps(np.stack([values for values, _ in read]), any(palette for _, palette in read))
    objects = sorted({int(index) for frame in frames for index in np.unique(frame)} - {0, VOID})
    return [_annotation(video, frames, index, first_id + offset) for offset, index in enumerate(objects)]


def _stored(video: Video, path: Path) -> tuple[NDArray[np.uint8], bool]:
    """One mask, and whether it has a palette."""
    try:
        image = _open(path)
        values = stored_values(image)
    except (DataError, OSError) as error:
        raise DataError(f"sequence {video.name}, mask {path.name}: {error}") from error
    if values.shape != (video.height, video.width):
        height, width = values.shape
        raise DataError(
            f"sequence {video.name}, mask {path.name}: is {width}x{height}, the frames are {video.width}x{video.height}"
        )
    return values, image.mode == "P"


def _annotation(video: Video, frames: NDArray[np.uint8], index: int, identifier: int) -> Annotation:
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
