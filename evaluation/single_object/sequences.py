"""Where the benchmarks keep the ground truth and the results of a sequence, and what of it is scored.

Boxes are x, y, width, height in both; OTB's corners count from 1, which no figure depends on if both do.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.single_object import vot
from evaluation.single_object.boxes import Boxes, Values, has_area
from evaluation.single_object.got10k import got10k_overlaps
from evaluation.single_object.number_files import read_boxes, read_labels, read_rows, require_length
from evaluation.single_object.one_pass import lasot_curves, otb_curves
from evaluation.single_object.regions import Corners, corners_of, region_overlaps
from vis_pipeline.errors import DataError
from vis_pipeline.files.images import stated_size
from vis_pipeline.files.regular_files import MOST_IMAGE, MOST_TEXT, open_regular, read_regular, read_text

_RUN = re.compile(r"_(\d{3})\.txt$")
_IMAGES = ("*.jpg", "color/*.jpg", "img/*.jpg", "*.png", "color/*.png")


@dataclass(frozen=True)
class SupervisedRun:
    """One run of VOT's supervised experiment: codes int64 [F] (:mod:`evaluation.single_object.vot`), overlaps [F]."""

    codes: NDArray[np.int64]
    overlaps: Values


def otb_sequences(truth: Path) -> dict[str, Path]:
    """OTB: `<sequence>/groundtruth_rect.txt`; of several objects in one, `.1` and so on, `<sequence>.1` and so on.

    A file that is empty, as one of Human4's, is passed over.
    """
    found: dict[str, Path] = {}
    for path in sorted(truth.glob("*/groundtruth_rect*.txt")):
        if _is_filled(path):
            number = path.stem.removeprefix("groundtruth_rect")
            found[path.parent.name + number] = path
    return found


def folder_sequences(truth: Path) -> dict[str, Path]:
    """GOT-10k, VOT, LaSOT: `<sequence>/groundtruth.txt`, or `<class>/<sequence>/groundtruth.txt`."""
    paths = [*truth.glob("*/groundtruth.txt"), *truth.glob("*/*/groundtruth.txt")]
    return {path.parent.name: path for path in sorted(paths)}


def otb_sequence(name: str, truth_file: Path, results: Path) -> dict[str, Values]:
    """The curves of OTB; the result is `<sequence>.txt`.

    Raises:
        DataError: a file is missing or unsound, or a true box has no area.
    """
    truth = _sound_truth(truth_file)
    return otb_curves(read_boxes(_result(results / f"{name}.txt"), len(truth)), truth)


def lasot_sequence(name: str, truth_file: Path, results: Path) -> dict[str, Values]:
    """The curves of LaSOT; the result is `<sequence>.txt`, absence lies beside the truth.

    `full_occlusion.txt` and `out_of_view.txt` must be there: 1 in a frame where the object does not show.

    Raises:
        DataError: a file is missing or unsound, or a true box has no area in a frame where the object shows.
    """
    truth = read_boxes(truth_file)
    hidden = [read_labels(truth_file.with_name(file), len(truth)) for file in ("full_occlusion.txt", "out_of_view.txt")]
    visible = np.maximum(*hidden) <= 0
    _require_area(truth_file, truth, visible)
    return lasot_curves(read_boxes(_result(results / f"{name}.txt"), len(truth)), truth, visible)


def got10k_sequence(name: str, truth_file: Path, results: Path) -> Values:
    """The overlaps of GOT-10k, of all runs `<sequence>/<sequence>_001.txt`, `_002` and so on.

    `cover.label` and `meta_info.ini` (the resolution) must lie beside the truth.

    Raises:
        DataError: a file is missing or unsound, a true box that counts has no area, or no frame counts.
    """
    truth = read_boxes(truth_file)
    cover = read_labels(truth_file.with_name("cover.label"), len(truth))
    size = _resolution(truth_file.with_name("meta_info.ini"))
    shown = cover > 0
    _require_area(truth_file, truth, shown)
    if not shown[1:].any():
        raise DataError(f"{truth_file}: no frame after the first in which the object shows")
    runs = _runs(results / name, name)
    return np.concatenate([got10k_overlaps(read_boxes(path, len(truth)), truth, cover, size) for path in runs])


def vot_sequence(name: str, truth_file: Path, results: Path) -> tuple[SupervisedRun, ...]:
    """The runs `baseline/<sequence>/<sequence>_001.txt`, `_002` and so on, in the folder of a tracker.

    A row is x, y, width, height or a polygon of 8 numbers, or a code alone: 1 a start, 2 a failure, 0 unknown. The
    image's size is `width` and `height` of the file `sequence` beside the truth, or that of the first image there.

    Raises:
        DataError: a file is missing or unsound, or a true region has no area.
    """
    rows = read_rows(truth_file)
    truth = np.stack([_true_corners(truth_file, number, row) for number, row in enumerate(rows, start=1)])
    size = _image_size(truth_file.parent)
    return tuple(_supervised(path, truth, size) for path in _runs(results / "baseline" / name, name))


def _supervised(path: Path, truth: Corners, size: tuple[int, int]) -> SupervisedRun:
    rows = read_rows(path)
    require_length(path, len(rows), len(truth))
    codes = np.full(len(rows), vot.REGION)
    regions = np.full((len(rows), 4, 2), np.nan)
    for index, row in enumerate(rows):
        if len(row) == 1:
            if row[0] not in (vot.UNKNOWN, vot.INITIALISED, vot.FAILED):
                raise DataError(f"{path}, line {index + 1}: code {row[0]:g}; codes are 0, 1 and 2")
            codes[index] = int(row[0])
        elif np.isnan(row).any():
            codes[index] = vot.UNKNOWN
        else:
            regions[index] = _corners(path, index + 1, row)
    try:
        vot.require_protocol(codes)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return SupervisedRun(codes, region_overlaps(regions, truth, size))


def _true_corners(path: Path, number: int, row: NDArray[np.float64]) -> Corners:
    corners = _corners(path, number, row)
    x, y = (row.reshape(4, 2) if len(row) == 8 else corners).T
    flat = len(row) == 8 and np.dot(x, np.roll(y, -1)) == np.dot(y, np.roll(x, -1))
    if flat or not np.isfinite(corners).all():
        raise DataError(f"{path}, line {number}: the true region has NaN or no area")
    return corners


def _corners(path: Path, number: int, row: NDArray[np.float64]) -> Corners:
    if len(row) not in (4, 8):
        raise DataError(f"{path}, line {number}: {len(row)} numbers; a region has 4 or 8")
    return corners_of(row)


def _is_filled(path: Path) -> bool:
    try:
        return bool(read_regular(path, MOST_TEXT).strip())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _sound_truth(path: Path) -> Boxes:
    truth = read_boxes(path)
    _require_area(path, truth, np.ones(len(truth), dtype=bool))
    return truth


def _require_area(path: Path, truth: Boxes, shown: NDArray[np.bool_]) -> None:
    bad = shown & ~has_area(truth)
    if bad.any():
        raise DataError(f"{path}, line {int(np.argmax(bad)) + 1}: the true box has NaN or no area")


def _result(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"no result {path}")
    return path


def _runs(folder: Path, name: str) -> Sequence[Path]:
    paths = [path for path in sorted(folder.glob("*.txt")) if _RUN.sub("", path.name) == name]
    if not paths:
        raise DataError(f"no result {folder / f'{name}_001.txt'}")
    return paths


def _resolution(path: Path) -> tuple[int, int]:
    try:
        found = re.search(r"^resolution: *\((\d+), *(\d+)\)", read_text(path), re.MULTILINE)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read; it names the image's resolution") from error
    if found is None:
        raise DataError(f"{path}: has no line `resolution: (width, height)`")
    return int(found[1]), int(found[2])


def _image_size(folder: Path) -> tuple[int, int]:
    listed = folder / "sequence"
    if listed.is_file():
        text = read_regular(listed, MOST_TEXT).decode(errors="replace")
        entries = dict(re.findall(r"^(width|height)=(\d+)\s*$", text, re.MULTILINE))
        if len(entries) == 2:
            return int(entries["width"]), int(entries["height"])
    images = [path for pattern in _IMAGES for path in sorted(folder.glob(pattern))[:1]]
    if not images:
        raise DataError(f"{folder}: neither an image nor a file `sequence` with width= and height=, to clip regions to")
    try:
        with open_regular(images[0], MOST_IMAGE) as file:
            return stated_size(file)
    except OSError as error:
        raise DataError(f"{images[0]}: cannot be read as an image") from error
    except DataError as error:
        raise DataError(f"{images[0]}: {error}") from error
