"""Sequences with masks and rotated boxes, as VOT has them: a folder of PNG masks each, a line of numbers a frame."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.data.image_files import image_paths
from vis_pipeline.data.label_images import read_stored
from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import read_text
from vis_pipeline.masks.quadrilaterals import polygon_area

BOXES_NAME = "groundtruth.txt"


def masks_with_boxes(
    masks: Path, boxes: Path, sequence: str
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.float64] | None]]:
    """Frame by frame: the mask, bool [H, W], all that is not 0, and the corners [4, 2] or None where there is no box.

    The masks are `<masks>/<sequence>/*.png`, in the order of their names; the boxes
    `<boxes>/<sequence>/groundtruth.txt`, see :func:`read_boxes`.

    Raises:
        DataError: a file is missing or damaged, or there are more of one than of the other; the sequence and the file
            are named.
    """
    try:
        paths = image_paths(masks / sequence)
        corners = read_boxes(boxes / sequence / BOXES_NAME)
    except DataError as error:
        raise DataError(f"sequence {sequence}: {error}") from error
    if len(corners) != len(paths):
        raise DataError(f"sequence {sequence}: {len(paths)} masks, but {len(corners)} lines in {BOXES_NAME}")
    for path, box in zip(paths, corners, strict=True):
        try:
            yield read_stored(path)[0] > 0, box
        except DataError as error:
            raise DataError(f"sequence {sequence}, mask {path.name}: {error}") from error


def read_boxes(path: Path) -> list[NDArray[np.float64] | None]:
    """A box a line: four corners x1,y1,...,x4,y4, or an upright x,y,w,h; pixels from the top left corner of the frame.

    None where a number is not finite or the box has no area: VOT's way to say that nothing is to be seen.

    Raises:
        DataError: the file cannot be read, or a line is neither eight nor four numbers; its number from 1 is named.
    """
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise DataError(f"boxes {path}: cannot be read ({reason})") from error
    while lines and not lines[-1].strip():
        lines.pop()
    return [_box(line, f"boxes {path}, line {number}") for number, line in enumerate(lines, start=1)]


def _box(line: str, where: str) -> NDArray[np.float64] | None:
    try:
        values = np.array([float(part) for part in line.replace(",", " ").split()])
    except ValueError as error:
        raise DataError(f"{where}: not numbers") from error
    if len(values) not in (4, 8):
        raise DataError(f"{where}: {len(values)} numbers, neither four corners x,y nor x,y,w,h")
    if not np.isfinite(values).all():
        return None
    if len(values) == 4:
        x, y, w, h = values
        corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]]) if w > 0 and h > 0 else np.zeros((4, 2))
    else:
        corners = values.reshape(4, 2)
    return corners if polygon_area(corners) > 0 else None
