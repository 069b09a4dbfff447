"""Where UAV123, UAV20L, NfS and TrackingNet keep the ground truth of a sequence, and what of it is scored.

Results are `<sequence>.txt`, x, y, width, height a row, for all of them.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.single_object.boxes import Boxes, Values, has_area
from evaluation.single_object.number_files import read_boxes
from evaluation.single_object.one_pass import otb_curves, trackingnet_curves
from vis_pipeline.data.image_files import image_paths
from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import read_text

# NfS's sequences of 30 frames a second have the boxes of those of 240.
_NFS_RATIO = 8


def uav_sequences(name: str) -> Callable[[Path], dict[str, Path]]:
    """Finds the files of `UAV123` or `UAV20L` in the data set's folder: `anno/<name>/<sequence>.txt`."""

    def find(data: Path) -> dict[str, Path]:
        return _by_name((data / "anno" / name).glob("*.txt"))

    return find


def nfs_sequences(rate: int) -> Callable[[Path], dict[str, Path]]:
    """Finds NfS's sequences of 30 or 240 frames a second: `<sequence>/<rate>/<sequence>.txt`."""

    def find(data: Path) -> dict[str, Path]:
        return _by_name(data.glob(f"*/{rate}/*.txt"))

    return find


def trackingnet_sequences(data: Path) -> dict[str, Path]:
    """TrackingNet: `anno/<sequence>.txt` of one chunk (`TEST`, `TRAIN_0` ...), or of all chunks in a folder."""
    return _by_name([*data.glob("anno/*.txt"), *data.glob("*/anno/*.txt")])


def uav_sequence(name: str, truth_file: Path, results: Path) -> dict[str, Values]:
    """The curves of OTB over the frames in which the object shows; NaN in the truth says where it does not.

    Raises:
        DataError: a file is missing or unsound, the first true box has NaN, or one has no area.
    """
    truth = read_boxes(truth_file)
    boxes = _result(name, results, len(truth))
    shown: NDArray[np.bool_] = np.asarray(np.isfinite(truth).all(axis=1))
    if not shown[0]:
        raise DataError(f"{truth_file}, line 1: the first box has NaN")
    _require_area(truth_file, truth, shown)
    return otb_curves(boxes[shown], truth[shown])


def nfs_sequence(name: str, truth_file: Path, results: Path) -> dict[str, Values]:
    """The curves of OTB.

    Raises:
        DataError: a file is missing or unsound, or a true box has NaN or no area.
    """
    truth = nfs_truth(truth_file)
    _require_area(truth_file, truth, np.ones(len(truth), dtype=bool))
    return otb_curves(_result(name, results, len(truth)), truth)


def trackingnet_sequence(name: str, truth_file: Path, results: Path) -> dict[str, Values]:
    """The curves of TrackingNet.

    Raises:
        DataError: a file is missing or unsound, or a true box has NaN or no area.
    """
    truth = read_boxes(truth_file)
    boxes = _result(name, results, len(truth))
    _require_area(truth_file, np.round(truth), np.ones(len(truth), dtype=bool))
    return trackingnet_curves(boxes, truth)


def nfs_images(truth_file: Path) -> Path:
    """The folder of a sequence's images: called as the file, beside it."""
    return truth_file.with_suffix("")


def nfs_truth(path: Path) -> Boxes:
    """NfS's boxes x, y, width, height, one an image, float64 [F, 4].

    A line is the object's number, left, top, right, bottom, then frame, flags and a label. Of the boxes of a sequence
    of 30 frames a second, which are those of 240, every eighth is taken; one box more than there are images is cut off.

    Raises:
        DataError: the file cannot be read, a line has no box, there are no images, or their number does not fit.
    """
    try:
        lines = read_text(path).rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text") from error
    corners = np.array([_corners(path, number, line) for number, line in enumerate(lines, start=1)]).reshape(-1, 4)
    images = len(image_paths(nfs_images(path)))
    boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    if len(boxes) > images + 1:
        boxes = boxes[::_NFS_RATIO]
    if abs(len(boxes) - images) > 1:
        raise DataError(f"{path}: {len(lines)} rows do not fit {images} images")
    return boxes[:images]


def _by_name(paths: Iterable[Path]) -> dict[str, Path]:
    # macOS leaves `._name.txt` beside what it unpacks.
    return {path.stem: path for path in sorted(paths) if not path.name.startswith(".")}


def _corners(path: Path, number: int, line: str) -> list[float]:
    try:
        _, *corners = [float(part) for part in line.split()[:5]]
    except ValueError as error:
        raise DataError(f"{path}, line {number}: {line[:40]!r} is not `id left top right bottom ...`") from error
    if len(corners) != 4:
        raise DataError(f"{path}, line {number}: {line[:40]!r} is not `id left top right bottom ...`")
    return corners


def _result(name: str, results: Path, frames: int) -> Boxes:
    path = results / f"{name}.txt"
    if not path.is_file():
        raise DataError(f"no result {path}")
    return read_boxes(path, frames)


def _require_area(path: Path, truth: Boxes, counted: NDArray[np.bool_]) -> None:
    bad = counted & ~has_area(truth)
    if bad.any():
        raise DataError(f"{path}, line {int(np.argmax(bad)) + 1}: the true box has NaN or no area")
