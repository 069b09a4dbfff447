"""Text files of numbers, a row a frame, as the benchmarks write boxes, regions and labels."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import read_text

_BETWEEN = re.compile(r"[,;\s]+")


def read_rows(path: Path) -> list[NDArray[np.float64]]:
    """The numbers of each line, between commas, tabs, semicolons or blanks; empty lines at the end are left out.

    Raises:
        DataError: the file cannot be read, is empty, or a line holds what is no number; the line is named, from 1.
    """
    try:
        text = read_text(path).rstrip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise DataError(f"{path}: cannot be read ({reason})") from error
    if not text:
        raise DataError(f"{path}: is empty")
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            rows.append(np.array([float(part) for part in _BETWEEN.split(line.strip(", \t;"))]))
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {line[:40]!r} is not a row of numbers") from error
    return rows


def read_boxes(path: Path, frames: int | None = None) -> NDArray[np.float64]:
    """Boxes x, y, width, height, float64 [F, 4]; `nan` is read as such.

    Raises:
        DataError: as :func:`read_rows`, or a row has another length, or there are not `frames` of them.
    """
    rows = read_rows(path)
    for number, row in enumerate(rows, start=1):
        if len(row) != 4:
            raise DataError(f"{path}, line {number}: {len(row)} numbers; a box has 4: x, y, width, height")
    require_length(path, len(rows), frames)
    return np.stack(rows)


def read_labels(path: Path, frames: int) -> NDArray[np.float64]:
    """One number a frame, in a column or in one line, float64 [F].

    Raises:
        DataError: as :func:`read_rows`, or there are not `frames` of them.
    """
    labels = np.concatenate(read_rows(path))
    require_length(path, len(labels), frames)
    return labels


def require_length(path: Path, found: int, frames: int | None) -> None:
    """Raise DataError if the file has not as many rows as there are frames."""
    if frames is not None and found != frames:
        raise DataError(f"{path}: {found} rows, the ground truth has {frames} frames")
