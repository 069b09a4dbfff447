"""Image files, read strictly: OpenCV fills what a damaged file lacks with grey and says nothing."""

import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError

_JPEG_START = b"\xff\xd8"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_END_OF_IMAGE = 0xD9
_INSIDE_A_SCAN = {0x00, *range(0xD0, 0xD8)}


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image as uint8 [H, W, 3] BGR, in the order of the stored pixels.

    An orientation tag is not applied: the masks of video data sets are drawn on the stored pixels.

    Raises:
        DataError: the file is missing, cut short, damaged, or no image; the text says which, not where.
    """
    return _decoded(path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)


def read_photograph(path: Path) -> NDArray[np.uint8]:
    """Read an image as :func:`read_image` does, but turned and mirrored as its EXIF tag says (JPEG and PNG)."""
    return _decoded(path, cv2.IMREAD_COLOR)


def jpeg_is_whole(data: bytes) -> bool:
    """Whether the segments and scans lead to the end-of-image marker (ITU T.81, annex B); what follows it is free."""
    position = len(_JPEG_START)
    while (position := data.find(b"\xff", position)) >= 0 and position + 2 <= len(data):
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _INSIDE_A_SCAN:
            position += 2
        elif marker == _END_OF_IMAGE:
            return True
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return False


def png_is_whole(data: bytes) -> bool:
    """Whether every chunk up to IEND is there with the checksum that it states."""
    position = len(_PNG_START)
    while position + 12 <= len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        kind, checked = data[position + 4 : position + 8], data[position + 4 : end - 4]
        if end > len(data) or zlib.crc32(checked) != int.from_bytes(data[end - 4 : end], "big"):
            return False
        if kind == b"IEND":
            return True
        position = end
    return False


def _decoded(path: Path, how: int) -> NDArray[np.uint8]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror}): {path}") from error
    except ValueError as error:
        raise DataError(f"cannot be read ({error}): {str(path)!r}") from error
    if not data:
        raise DataError(f"an empty file: {path}")
    if data.startswith(_JPEG_START) and not jpeg_is_whole(data):
        raise DataError(f"a JPEG that is cut short or damaged: {path}")
    if data.startswith(_PNG_START) and not png_is_whole(data):
        raise DataError(f"a PNG that is cut short or damaged: {path}")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    if image is None:
        raise DataError(f"not a readable image: {path}")
    return np.asarray(image, dtype=np.uint8)
