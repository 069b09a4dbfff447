"""Masks kept as images, a frame each, in which the value of a pixel is its object (DAVIS, YouTube-VOS)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.files.images import open_picture, png_is_whole, require_moderate_size, stated_size
from vis_pipeline.files.regular_files import MOST_IMAGE, open_regular, read_regular
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Annotation, Video

_WITH_PALETTE = ("P", "PA")


def read_label_image(path: Path, video: Video) -> tuple[NDArray[np.uint8], bool]:
    """The PNG of one frame as it is stored, uint8 [H, W], and whether it has a palette.

    Raises:
        DataError: the file is missing, damaged, in colour or of another size than the video; the text says which, not
            where.
    """
    stored, palette = read_stored(path)
    height, width = stored.shape
    if (width, height) != (video.width, video.height):
        raise DataError(f"is {width}x{height}, the frames are {video.width}x{video.height}")
    return stored, palette


def read_stored(path: Path) -> tuple[NDArray[np.uint8], bool]:
    """A PNG as it is stored, uint8 [H, W], and whether it has a palette.

    Raises:
        DataError: the file is missing, damaged or in colour; the text says which, not where.
    """
    data = png_bytes(path)
    try:
        with open_picture(data) as image:
            return stored_values(image), image.mode in _WITH_PALETTE
    except OSError as error:
        raise DataError("a PNG that cannot be decoded") from error


def png_bytes(path: Path) -> bytes:
    """The bytes of a PNG of moderate size, all of whose chunks are there.

    Raises:
        DataError: the file is missing or damaged, or states too large a size; the text says which, not where.
    """
    try:
        data = read_regular(path, MOST_IMAGE)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})") from error
    if not png_is_whole(data):
        raise DataError("not a PNG, or one that is cut short or damaged")
    require_moderate_size(data)
    return data


def stored_values(image: Image.Image) -> NDArray[np.uint8]:
    """A mask as it is stored, uint8 [H, W]: palette indices, or grey values.

    Transparency says nothing, and colour without a hue is grey: DAVIS-2016 has a mask with an alpha channel.

    Raises:
        DataError: the image is in colour.
    """
    if image.mode in ("1", "L", "P"):
        return np.array(image, dtype=np.uint8)
    channels = np.array(image)
    if image.mode in ("LA", "PA"):
        return np.ascontiguousarray(channels[..., 0])
    if image.mode in ("RGB", "RGBA") and (channels[..., :3] == channels[..., :1]).all():
        return np.ascontiguousarray(channels[..., 0])
    raise DataError(f"a mask must be black and white, grey or palette-indexed, not {image.mode} in colour")


def frame_size(path: Path) -> tuple[int, int]:
    """Width and height of a frame in pixels, by the head of its file.

    Raises:
        DataError: it is no image.
    """
    try:
        with open_regular(path, MOST_IMAGE) as file:
            return stated_size(file)
    except OSError as error:
        why = f" ({error.strerror})" if error.strerror else ""
        raise DataError(f"cannot be read as an image{why}: {path}") from error
    except DataError as error:
        raise DataError(f"{error}: {path}") from error


def object_masks(labels: NDArray[np.uint8] | NDArray[np.uint16]) -> dict[int, Rle]:
    """The mask of each value but 0 that a frame's label map [H, W] holds."""
    # Masks are encoded column by column: laid out so, all objects of a frame are encoded without another copy.
    columns = np.ascontiguousarray(labels.T)
    objects = (np.flatnonzero(np.bincount(columns.ravel())[1:]) + 1).astype(labels.dtype)
    stack = columns == objects[:, None, None]
    return dict(zip(objects.tolist(), masks.encode(stack.transpose(0, 2, 1)), strict=True))


def object_tracks(frames: Sequence[Mapping[int, Rle]]) -> dict[int, tuple[Rle | None, ...]]:
    """From each frame's masks by object each object's masks by frame, None where it does not show; ids ascend."""
    objects = sorted({index for frame in frames for index in frame})
    return {index: tuple(frame.get(index) for frame in frames) for index in objects}


def object_annotation(
    identifier: int, video: Video, category_id: int, segmentations: tuple[Rle | None, ...]
) -> Annotation:
    """One object of a video, with the areas of its masks."""
    areas = tuple(None if rle is None else float(masks.area([rle])[0]) for rle in segmentations)
    return Annotation(identifier, video.id, category_id, segmentations, areas, iscrowd=False)
