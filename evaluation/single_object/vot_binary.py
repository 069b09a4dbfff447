"""Results in the binary form that VOT's toolkit writes from version 0.6 on, unless its `results_binary` is off."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import MOST_TEXT, read_regular

_VERSION = 1
_CODE, _RECTANGLE, _POLYGON = 0, 1, 2


def read_binary_rows(path: Path) -> list[NDArray[np.float64]]:
    """A frame each: a code alone, x, y, width, height, or x1, y1 and so on of a polygon's corners.

    Raises:
        DataError: the file cannot be read, is cut short or of another form, or holds a mask or a point.
    """
    rows: list[NDArray[np.float64]] = []
    try:
        data = read_regular(path, MOST_TEXT)
        version, frames = struct.unpack_from("<hI", data)
        if version != _VERSION:
            raise DataError(f"{path}: version {version} of VOT's binary form; {_VERSION} is read")
        offset = struct.calcsize("<hI")
        while len(rows) < frames:
            values, offset = _region(data, offset)
            rows.append(np.array(values, dtype=np.float64))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except struct.error as error:
        raise DataError(f"{path}: is cut short, or not VOT's binary form") from error
    except ValueError as error:
        raise DataError(f"{path}, frame {len(rows) + 1}: {error}") from error
    return rows


def _region(data: bytes, offset: int) -> tuple[tuple[float, ...], int]:
    """The numbers of the region at a place of the file, and where the next one is."""
    (kind,) = struct.unpack_from("<B", data, offset)
    offset += 1
    if kind == _CODE:
        form = "<I"
    elif kind == _RECTANGLE:
        form = "<4f"
    elif kind == _POLYGON:
        (corners,) = struct.unpack_from("<H", data, offset)
        offset += 2
        form = f"<{2 * corners}f"
    else:
        raise ValueError("a mask or a point; rectangles and polygons are scored")
    return struct.unpack_from(form, data, offset), offset + struct.calcsize(form)
