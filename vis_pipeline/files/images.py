"""Image files, read strictly: OpenCV fills what a damaged file lacks with grey and says nothing."""

import errno
import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vis_pipeline.errors import DataError
from vis_pipeline.files.jpeg_scan import scan_is_sound
from vis_pipeline.files.regular_files import MOST_IMAGE, read_regular

# Of one image; 16K video has 133 million. A head of a few bytes may state billions, which would be allocated.
MOST_PIXELS = 2**27
# Pillow's own bound, above which it warns, is lower.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

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


def grey_or_colour(data: bytes) -> NDArray[np.generic] | None:
    """The pixels of an encoded image as they are stored, of any depth, [H, W] or [H, W, C]; None where it is none."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None  # it has a bound of its own for each side


@contextmanager
def open_picture(source: Path | bytes) -> Iterator[Image.Image]:
    """A picture, a file or its bytes, opened by Pillow, its size checked before anything is decoded.

    Raises:
        DataError: its size is above :data:`MOST_PIXELS`; the text says so, not where.
        OSError: it cannot be read or is no picture; also for what goes wrong while it is decoded.
    """
    data = source if isinstance(source, bytes) else read_regular(source, MOST_IMAGE)
    stated_size(io.BytesIO(data))
    try:
        with Image.open(io.BytesIO(data)) as picture:
            yield picture
    except (SyntaxError, ValueError, EOFError) as error:
        raise OSError(errno.EINVAL, f"damaged, {error}") from error


def stated_size(file: IO[bytes]) -> tuple[int, int]:
    """Width and height of an image in pixels, as its head states them.

    Raises:
        DataError: they are more than :data:`MOST_PIXELS`; the text says so, not where.
        OSError: the file is no image that Pillow knows.
    """
    try:
        with Image.open(file) as image:
            width, height = image.size
    except Image.DecompressionBombError as error:
        raise DataError(f"states a size of more than {MOST_PIXELS:,} pixels, which are not read") from error
    except (SyntaxError, ValueError) as error:
        raise OSError(str(error)) from error
    if width * height > MOST_PIXELS:
        raise DataError(f"states {width}x{height} pixels; more than {MOST_PIXELS:,} are not read")
    return width, height


def require_moderate_size(data: bytes) -> None:
    """Refuse an image that is too large, before it is decoded; what Pillow does not know is let be.

    Raises:
        DataError: see :func:`stated_size`.
    """
    with suppress(OSError):
        stated_size(io.BytesIO(data))


def _decoded(path: Path, how: int) -> NDArray[np.uint8]:
    try:
        data = read_regular(path, MOST_IMAGE)
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
    try:
        require_moderate_size(data)
    except DataError as error:
        raise DataError(f"{error}: {path}") from error
    if data.startswith(_JPEG_START) and not scan_is_sound(data):
        raise DataError(f"a JPEG that is damaged inside: {path}")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    except cv2.error:
        image = None  # it has a bound of its own for each side
    if image is None:
        raise DataError(f"not a readable image: {path}")
    return np.asarray(image, dtype=np.uint8)
