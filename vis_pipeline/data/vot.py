"""VOT's form, written: a folder a sequence, with its images, its rotated boxes and the attributes of its frames.

It is what PyPI's vot-toolkit reads (`<sequence>/color/%08d.jpg`, `groundtruth.txt`, `sequence`, `<attribute>.tag`, and
`list.txt`).
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import write_bytes, write_text

_FIRST = 1


def claim(out: Path) -> None:
    """Make the folder of a data set, which must be new or empty.

    Raises:
        DataError: it is not, or cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        taken = any(out.iterdir())
    except OSError as error:
        raise DataError(f"--out {out}: cannot be made ({error.strerror}); give another folder") from error
    if taken:
        raise DataError(f"--out {out}: is not empty; give a new folder")


def write_sequence(
    folder: Path,
    images: Iterable[bytes],
    suffix: str,
    size: tuple[int, int],
    boxes: NDArray[np.float64],
    tags: Mapping[str, NDArray[np.bool_]],
) -> None:
    """Write one sequence.

    Args:
        folder: that of the sequence, not yet there; its name is the sequence's.
        images: the files' contents, as many as boxes.
        suffix: of their names, `.jpg` or `.png`.
        size: width and height in pixels.
        boxes: float64 [F, 4, 2], corners x, y in pixels.
        tags: the attributes of the frames, bool [F] each.

    Raises:
        DataError: the disk does not take it.
    """
    try:
        (folder / "color").mkdir(parents=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made ({error.strerror})") from error
    for number, content in enumerate(images, start=_FIRST):
        write_bytes(folder / f"color/{number:08}{suffix}", content)
    for name, tag in tags.items():
        write_text(folder / f"{name}.tag", "".join(f"{int(has)}\n" for has in tag))
    properties = {
        "channels.color": f"color/%08d{suffix}",
        "format": "default",
        "fps": "30",
        "height": str(size[1]),
        "length": str(len(boxes)),
        "name": folder.name,
        "width": str(size[0]),
    }
    write_text(folder / "sequence", "".join(f"{key}={value}\n" for key, value in properties.items()))
    lines = (",".join(f"{value:.4f}" for value in box.ravel()) for box in boxes)
    write_text(folder / "groundtruth.txt", "".join(f"{line}\n" for line in lines))


def write_list(out: Path, names: Sequence[str]) -> None:
    """Name a data set's sequences in `list.txt`."""
    write_text(out / "list.txt", "".join(f"{name}\n" for name in names))


def longest_run(shown: NDArray[np.bool_]) -> slice:
    """The first longest run of frames, bool [F], that are true; empty if there are none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shown, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    if len(starts) == 0:
        return slice(0, 0)
    best = int(np.argmax(ends - starts))
    return slice(int(starts[best]), int(ends[best]))
