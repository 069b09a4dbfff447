"""Where the benchmarks keep the ground truth and the results of a sequence, and what of it is scored.

Boxes are x, y, width, height in both; OTB's corners count from 1, which no figure depends on if both do.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.single_object.boxes import Boxes, Values, has_area
from evaluation.single_object.got10k import got10k_overlaps
from evaluation.single_object.number_files import read_boxes, read_labels
from evaluation.single_object.one_pass import lasot_curves, otb_curves
from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import MOST_TEXT, read_regular, read_text

_RUN = re.compile(r"_(\d{3})\.txt$")


def otb_sequences(truth: Path) -> dict[str, Path]:
    """OTB: `<sequence>/groundtruth_rect.txt`; of several objects in one, `.1` and so on, `<sequence>.1` and so on.

    A file that is empty, as one of Human4's, is passed over; a sequence that is left with one file has no number.
    """
    paths = [path for path in sorted(truth.glob("*/groundtruth_rect*.txt")) if _is_filled(path)]
    alone = Counter(path.parent.name for path in paths)
    return {
        path.parent.name + (path.stem.removeprefix("groundtruth_rect") if alone[path.parent.name] > 1 else ""): path
        for path in paths
    }


def folder_sequences(truth: Path) -> dict[str, Path]:
    """GOT-10k, LaSOT: `<sequence>/groundtruth.txt`, or `<class>/<sequence>/groundtruth.txt`."""
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
    runs = run_files(results / name, name)
    return np.concatenate([got10k_overlaps(read_boxes(path, len(truth)), truth, cover, size) for path in runs])


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


def run_files(folder: Path, name: str) -> Sequence[Path]:
    """The files `<name>_001.txt`, `_002` and so on of the runs on a sequence.

    Raises:
        DataError: there are none.
    """
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
