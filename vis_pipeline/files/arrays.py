"""NumPy's `.npy` files, read as plain numbers: nothing that needs code, nothing larger than its file."""

from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import MOST_ARRAYS, open_regular

_read_version: Any = npy.read_magic
_HEADERS: dict[Any, Any] = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_array(path: Path) -> NDArray[Any]:
    """The array of a file.

    Raises:
        DataError: it is missing or damaged, or holds objects; the text says which, not where.
    """
    _require_plain(path)
    array: NDArray[Any] = np.load(path, allow_pickle=False)
    return array


def mapped_array(path: Path) -> NDArray[Any]:
    """The array of a file, which stays on the disk until it is looked at.

    Raises:
        DataError: as :func:`read_array`.
    """
    _require_plain(path)
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _require_plain(path: Path) -> None:
    try:
        with open_regular(path, MOST_ARRAYS) as file:
            stated = _stated_bytes(file)
            held = file.seek(0, 2)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, RecursionError, OverflowError) as error:
        raise DataError(f"not a .npy file ({error})") from error
    if stated != held:
        raise DataError(f"states {stated:,} bytes and holds {held:,}; it is cut short or damaged")


def _stated_bytes(file: BufferedReader) -> int:
    shape, _, dtype = _HEADERS[_read_version(file)](file)
    if dtype.hasobject:
        raise ValueError("it holds objects, which only code makes")
    count = 1
    for length in shape:
        if length < 0:
            raise ValueError(f"a length of {length}")
        count *= length
    return file.tell() + count * int(dtype.itemsize)
