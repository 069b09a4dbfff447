"""The objects of a YouTube-VIS split as sequences of a benchmark of boxes: GOT-10k's form or OTB's."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import DataError
from vis_pipeline.files.file_names import file_stem
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.masks import Rle, bounding_boxes
from vis_pipeline.protocols.box_sequences import box_rows
from vis_pipeline.structures.splits import Split, Video

# The toolkits look for these alone.
_SUFFIXES = (".jpg", ".jpeg")
_FEWEST_FRAMES = 2


@dataclass(frozen=True)
class ObjectSequence:
    """One object, from the frame in which it is first seen.

    Attributes:
        name: of the sequence.
        video: where it is.
        first: the index of its first frame there.
        boxes: x, y, w, h a frame, float64 [F, 4], pixels from 0; zeros where nothing of it shows.
    """

    name: str
    video: Video
    first: int
    boxes: NDArray[np.float64]


@dataclass(frozen=True)
class WrittenSequences:
    """What was written, and why objects were left out, by the names of their sequences."""

    names: tuple[str, ...]
    left_out: Mapping[str, str]


def write_sequences(form: str, split_path: Path, frames_dir: Path, out: Path) -> WrittenSequences:
    """Write each object of a split as a sequence; its boxes are those around its masks.

    In OTB's form, which knows no absence, a sequence ends before the object first goes out of sight.

    Raises:
        DataError: the split cannot be read or has no annotations, there is no such form, or `out` is not a new folder.
    """
    if form not in FORMS:
        raise DataError(f"form {form}: give one of {', '.join(FORMS)}")
    split = read_split(split_path)
    if split.annotations is None:
        raise DataError(f"split {split_path}: a test form without ground truth; give one with annotations")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"--out {out}: is there already; give a new folder")
    names: list[str] = []
    left_out: dict[str, str] = {}
    for found in object_sequences(split):
        try:
            FORMS[form](found, frames_dir, out)
            names.append(found.name)
        except DataError as error:
            left_out[found.name] = str(error)
        except OSError as error:
            raise DataError(f"--out {out}: cannot be written ({error.filename}: {error.strerror})") from error
    if not names:
        raise DataError(f"split {split_path}: none of its {len(left_out)} objects could be written")
    if form == "got10k":
        write_text(out / "list.txt", "".join(f"{name}\n" for name in names))
    return WrittenSequences(tuple(names), left_out)


def object_sequences(split: Split) -> Iterator[ObjectSequence]:
    """The objects of a split that are seen at all; those of a video with several are numbered from 1."""
    videos, annotations = split.videos_by_id(), split.annotations or ()
    counts, numbers = Counter(entry.video_id for entry in annotations), Counter[int]()
    for entry in annotations:
        video = videos[entry.video_id]
        numbers[video.id] += 1
        seen = [index for index, mask in enumerate(entry.segmentations) if mask is not None]
        if not seen:
            continue
        name = file_stem(video.name) + (f"-{numbers[video.id]}" if counts[video.id] > 1 else "")
        boxes = _boxes(entry.segmentations[seen[0] : seen[-1] + 1])
        yield ObjectSequence(name, video, seen[0], boxes)


def _boxes(segmentations: Sequence[Rle | None]) -> NDArray[np.float64]:
    boxes = np.zeros((len(segmentations), 4))
    shown = [index for index, mask in enumerate(segmentations) if mask is not None]
    boxes[shown] = bounding_boxes([mask for mask in segmentations if mask is not None])
    return boxes


def _write_otb(found: ObjectSequence, frames_dir: Path, out: Path) -> None:
    hidden = np.flatnonzero(found.boxes[:, 2] == 0)
    boxes = found.boxes[: hidden[0]] if len(hidden) else found.boxes
    folder = out / found.name
    _copy_images(found, len(boxes), frames_dir, folder / "img")
    write_text(folder / "groundtruth_rect.txt", box_rows(boxes + np.array([1, 1, 0, 0])))


def _write_got10k(found: ObjectSequence, frames_dir: Path, out: Path) -> None:
    boxes, folder = found.boxes, out / found.name
    _copy_images(found, len(boxes), frames_dir, folder)
    shown = boxes[:, 2] > 0
    ends, size = boxes[:, :2] + boxes[:, 2:], np.array([found.video.width, found.video.height])
    cut = shown & ((boxes[:, :2] <= 0).any(axis=1) | (ends >= size).any(axis=1))
    # How much of an object is hidden a split does not say: it shows whole, 8 of 8, or not at all.
    labels = {"absence": ~shown, "cover": 8 * shown, "cut_by_image": cut}
    for name, values in labels.items():
        write_text(folder / f"{name}.label", "".join(f"{int(value)}\n" for value in values))
    write_text(folder / "meta_info.ini", f"[METAINFO]\nresolution: ({found.video.width}, {found.video.height})\n")
    write_text(folder / "groundtruth.txt", box_rows(boxes))


FORMS: Mapping[str, Callable[[ObjectSequence, Path, Path], None]] = {"got10k": _write_got10k, "otb": _write_otb}
"""Writes a sequence: the object, the folder that the split's file names start from, and the new folder."""


def _copy_images(found: ObjectSequence, count: int, frames_dir: Path, folder: Path) -> None:
    names = found.video.file_names[found.first : found.first + count]
    if count < _FEWEST_FRAMES:
        raise DataError(f"is seen in {count} frame on end, and a sequence has {_FEWEST_FRAMES} at least")
    for name in names:
        if not (frames_dir / name).is_file():
            raise DataError(f"frame {frames_dir / name}: no such file")
        if Path(name).suffix.lower() not in _SUFFIXES:
            raise DataError(f"frame {name}: no JPEG, which alone the benchmarks' toolkits look for")
    folder.mkdir(parents=True)
    for number, name in enumerate(names, start=1):
        shutil.copyfile(frames_dir / name, folder / f"{number:08}.jpg")
