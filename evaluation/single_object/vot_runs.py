"""Results of VOT's experiments as files: codes, overlaps and times of each run on a sequence."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.single_object import vot
from evaluation.single_object.boxes import Values
from evaluation.single_object.number_files import read_rows, require_length
from evaluation.single_object.regions import Corners, region_overlaps
from evaluation.single_object.vot_binary import read_binary_rows
from evaluation.single_object.vot_folders import frame_tags, image_size, region_corners, true_regions
from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import read_text

_RUN = re.compile(r"_\d{3}$")
_Check = Callable[[vot.Codes], None]


@dataclass(frozen=True)
class VotRun:
    """One run.

    Attributes:
        codes: int64 [F], see :mod:`evaluation.single_object.vot`.
        overlaps: float64 [F].
        seconds: float64 [F] that the tracker took, NaN where it was not asked; None where nobody says.
    """

    codes: vot.Codes
    overlaps: Values
    seconds: Values | None


@dataclass(frozen=True)
class VotRuns:
    """All runs on one sequence, at least one.

    Attributes:
        tags: the attributes of its frames, bool [F] each; empty where it has none.
    """

    runs: tuple[VotRun, ...]
    tags: Mapping[str, NDArray[np.bool_]]

    @property
    def frames(self) -> int:
        """The frames of the sequence."""
        return len(self.runs[0].codes)


def supervised_runs(name: str, truth_file: Path, results: Path) -> VotRuns:
    """The runs `baseline/<sequence>/<sequence>_001.txt`, `_002` and so on, in the folder of a tracker; or `.bin`.

    A row is x, y, width, height or a polygon of 8 numbers, or a code alone: 1 a start, 2 a failure, 0 unknown. Beside
    a run may lie `<sequence>_001_time.value`, seconds a frame. Image size and attributes are those of
    :mod:`~evaluation.single_object.vot_folders`.

    Raises:
        DataError: a file is missing or unsound, or a true region has no area.
    """
    return _runs(name, truth_file, results / "baseline", vot.require_protocol)


def unsupervised_runs(name: str, truth_file: Path, results: Path) -> VotRuns:
    """The runs `unsupervised/<sequence>/<sequence>_001.txt` and so on; the first row alone is a start, none a failure.

    Raises:
        DataError: see :func:`supervised_runs`.
    """
    return _runs(name, truth_file, results / "unsupervised", vot.require_one_start)


def run_files(folder: Path, name: str) -> tuple[Path, ...]:
    """The files of the runs on a sequence: `<name>_001.txt`, or `.bin` as newer toolkits write, `_002` and so on.

    Raises:
        DataError: there are none.
    """
    found: dict[str, Path] = {}
    for path in sorted([*folder.glob("*.bin"), *folder.glob("*.txt")], key=lambda path: (path.stem, path.suffix)):
        if _RUN.sub("", path.stem) == name:
            found[path.stem] = path  # of both the text, as the toolkit
    if not found:
        raise DataError(f"no result {folder / f'{name}_001.txt'}")
    return tuple(found.values())


def _runs(name: str, truth_file: Path, results: Path, require: _Check) -> VotRuns:
    truth = true_regions(truth_file).corners
    size = image_size(truth_file.parent)
    runs = tuple(_run(path, truth, size, require) for path in run_files(results / name, name))
    return VotRuns(runs, frame_tags(truth_file.parent, len(truth)))


def _run(path: Path, truth: Corners, size: tuple[int, int], require: _Check) -> VotRun:
    rows = read_binary_rows(path) if path.suffix == ".bin" else read_rows(path)
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
            regions[index] = region_corners(path, index + 1, row)
    try:
        require(codes)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return VotRun(codes, region_overlaps(regions, truth, size), _seconds(path, len(rows)))


def _seconds(path: Path, frames: int) -> Values | None:
    stored = path.with_name(f"{path.stem}_time.value")
    if not stored.is_file():
        return None
    try:
        lines = [line.strip() for line in read_text(stored).splitlines()]
        seconds = np.array([float(line) if line else np.nan for line in lines])
    except (OSError, ValueError) as error:
        raise DataError(f"{stored}: is not seconds, a line a frame") from error
    require_length(stored, len(seconds), frames)
    return seconds
