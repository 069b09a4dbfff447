"""Single frames as PNG files."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import write_bytes

_DIGITS = 5


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write uint8 [H, W, 3] BGR as PNG, whole or not at all.

    Raises:
        DataError: nothing can be written there.
    """
    encoded = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1]
    write_bytes(path, encoded.tobytes())


def frame_file(folder: Path, index: int) -> Path:
    """Where the frame of this index goes: names in the order of the frames."""
    return folder / f"{index:0{_DIGITS}d}.png"


def make_folder(folder: Path) -> None:
    """Make a folder for pictures.

    Raises:
        DataError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made ({error.strerror})") from error
