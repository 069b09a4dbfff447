"""VOT's folders: the sequences of a data set or of a toolkit's workspace, and what lies in the folder of one.

A sequence has `groundtruth.txt`, a region a frame, and its images: where its file `sequence` says (`channels.color`,
else `color/%08d.jpg`), in older data sets beside the truth. Names and order are those of `list.txt`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.single_object.number_files import read_rows
from evaluation.single_object.regions import Corners, corners_of
from vis_pipeline.data.image_files import image_paths, is_image
from vis_pipeline.data.listings import subfolders, visible
from vis_pipeline.errors import DataError
from vis_pipeline.files.images import stated_size
from vis_pipeline.files.regular_files import MOST_IMAGE, open_regular, read_text
from vis_pipeline.masks.quadrilaterals import polygon_area

TRUTH_NAME = "groundtruth.txt"
_PROPERTIES_NAME = "sequence"
_LIST_NAME = "list.txt"
_PATTERN = "color/%08d.jpg"
_NUMBER = re.compile(r"%0?\d*d")


@dataclass(frozen=True)
class TrueRegions:
    """The truth of a sequence.

    Attributes:
        rows: the numbers of each frame as they are given: x, y, width, height, or four corners.
        corners: their corner pixels, float64 [F, 4, 2] (:func:`evaluation.single_object.regions.corners_of`).
    """

    rows: tuple[NDArray[np.float64], ...]
    corners: Corners


def truth_files(data: Path) -> dict[str, Path]:
    """Where the truth of each sequence is said to be, by its name, in VOT's order.

    `data` is a workspace of the toolkit (it has a `config.yaml`) or a folder of sequences. Without `list.txt` the
    sequences are the folders with a truth; with it those that it names, whether they are there or not.

    Raises:
        DataError: `list.txt` cannot be read.
    """
    folder = _sequences_folder(data)
    listed = folder / _LIST_NAME
    if not listed.is_file():
        found = {path.name: path / TRUTH_NAME for path in subfolders(folder)} if folder.is_dir() else {}
        return {name: path for name, path in found.items() if path.is_file()}
    names = (line.strip() for line in _text(listed).splitlines())
    return {name: folder / name / TRUTH_NAME for name in names if name}


def true_regions(path: Path) -> TrueRegions:
    """Read the truth of a sequence.

    Raises:
        DataError: the file cannot be read, a line is no region, or a region has NaN or no area; the line is named,
            from 1.
    """
    rows = read_rows(path)
    corners = [_sound_corners(path, number, row) for number, row in enumerate(rows, start=1)]
    return TrueRegions(tuple(rows), np.stack(corners))


def region_corners(path: Path, number: int, row: NDArray[np.float64]) -> Corners:
    """The corner pixels of one line of a file, [4, 2]; NaN where it has no pixel.

    Raises:
        DataError: it has neither 4 nor 8 numbers.
    """
    if len(row) not in (4, 8):
        raise DataError(f"{path}, line {number}: {len(row)} numbers; a region has 4 or 8")
    return corners_of(row)


def image_files(folder: Path) -> tuple[Path, ...]:
    """The images of a sequence in their order.

    Raises:
        DataError: there are none, or `sequence` names them by a pattern without one number.
    """
    properties = _properties(folder)
    if properties is not None:
        return _numbered(folder, _pattern(folder, properties))
    color = folder / "color"
    return image_paths(color if color.is_dir() else folder)


def image_size(folder: Path) -> tuple[int, int]:
    """Width and height of a sequence's images in pixels, as `sequence` states them or else the first image does.

    Raises:
        DataError: neither is there, or the image cannot be read.
    """
    properties = _properties(folder) or {}
    stated = properties.get("width", ""), properties.get("height", "")
    if stated[0].isdecimal() and stated[1].isdecimal():
        return int(stated[0]), int(stated[1])
    try:
        first = image_files(folder)[0]
    except DataError as error:
        raise DataError(
            f"{folder}: neither an image nor a file `sequence` with width= and height=, to clip regions to"
        ) from error
    try:
        with open_regular(first, MOST_IMAGE) as file:
            return stated_size(file)
    except OSError as error:
        raise DataError(f"{first}: cannot be read as an image") from error
    except DataError as error:
        raise DataError(f"{first}: {error}") from error


def frame_tags(folder: Path, frames: int) -> dict[str, NDArray[np.bool_]]:
    """Which frames have an attribute such as `occlusion`, bool [frames], by the names of the files `<attribute>.tag`.

    Older data sets call them `<attribute>.label`.

    A line of a file is a frame: 1 where it has the attribute. Frames beyond the file's end do not.

    Raises:
        DataError: a file cannot be read.
    """
    tags = {}
    for path in sorted(path for path in visible(folder) if path.suffix in (".tag", ".label")):
        lines = [line.strip() == "1" for line in _text(path).splitlines()][:frames]
        tags[path.stem] = np.array(lines + [False] * (frames - len(lines)), dtype=bool)
    return tags


def _sequences_folder(data: Path) -> Path:
    config = data / "config.yaml"
    if not config.is_file():
        return data
    # The toolkit writes plain keys; a YAML reader is not among what the evaluator alone needs.
    stated = re.search(r"^sequences:[ \t]*['\"]?([^'\"#\n]+?)['\"]?[ \t]*(?:#.*)?$", _text(config), re.MULTILINE)
    return data / (stated[1] if stated else "sequences")


def _sound_corners(path: Path, number: int, row: NDArray[np.float64]) -> Corners:
    corners = region_corners(path, number, row)
    sound = bool(np.isfinite(corners).all())
    if not sound or (len(row) == 8 and polygon_area(row.reshape(4, 2)) == 0):
        raise DataError(f"{path}, line {number}: the true region has NaN or no area")
    return corners


def _properties(folder: Path) -> dict[str, str] | None:
    path = folder / _PROPERTIES_NAME
    if not path.is_file():
        return None
    return dict(re.findall(r"^([\w.-]+) *= *(.*?)\s*$", _text(path), re.MULTILINE))


def _pattern(folder: Path, properties: dict[str, str]) -> str:
    channels = [key for key in properties if key.startswith("channels.")]
    given = properties.get("channels.color") or (properties[channels[0]] if channels else "")
    if not given:
        beside = not (folder / "color").is_dir() and any(is_image(path) for path in visible(folder))
        return "%08d.jpg" if beside else _PATTERN
    given = given.replace("\\", "/")
    pattern = given if Path(given).suffix else f"{given.rstrip('/')}/%08d.jpg"
    if len(_NUMBER.findall(pattern)) != 1 or pattern.count("%") != 1:
        raise DataError(f"{folder / _PROPERTIES_NAME}: images {given!r} are no pattern with one number, as {_PATTERN}")
    return pattern


def _numbered(folder: Path, pattern: str) -> tuple[Path, ...]:
    found: list[Path] = []
    while (path := folder / (pattern % (len(found) + 1))).is_file():
        found.append(path)
    if not found:
        raise DataError(f"{folder}: no image {pattern % 1}")
    return tuple(found)


def require_frames(images: Sequence[Path], truth: TrueRegions, path: Path) -> None:
    """Raise DataError if there are not as many images as lines of a truth."""
    if len(images) != len(truth.rows):
        raise DataError(f"{path}: {len(truth.rows)} regions, but {len(images)} images, up to {images[-1].name}")


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise DataError(f"{path}: cannot be read ({reason})") from error
