"""DAVIS-2016, one object a sequence, and DAVIS-2017 semi-supervised, several: masks of the first frame are given.

The data are those of the benchmark, `JPEGImages/480p/<sequence>/*.jpg` and `Annotations/480p/<sequence>/*.png`, or the
same in `JPEGImages` and `Annotations`, or in `frames` and `masks`. Sequences are those of the validation set where its
list is there (`ImageSets`), else all. Only the mask of the first frame is read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.data.davis import VOID, label_maps
from vis_pipeline.data.image_files import image_paths
from vis_pipeline.data.label_images import read_stored
from vis_pipeline.data.listings import subfolders
from vis_pipeline.data.sequence_names import listed_names
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_folders import new_folder
from vis_pipeline.protocols.benchmark import Listing, Trackers
from vis_pipeline.protocols.object_masks import (
    black_and_white_png,
    is_whole,
    numbered_objects,
    read_frames,
    require_masks,
    write_objects,
)
from vis_pipeline.trackers.one_by_one import shown_mask

LAYOUTS = (("JPEGImages/480p", "Annotations/480p"), ("JPEGImages", "Annotations"), ("frames", "masks"))


@dataclass(frozen=True)
class DavisSequence:
    """One sequence: its frames, and the mask of the first of them."""

    name: str
    frames: tuple[Path, ...]
    mask: Path

    @property
    def length(self) -> int:
        """Its frames."""
        return len(self.frames)

    @property
    def frame_names(self) -> tuple[str, ...]:
        """What the masks are called, without a suffix."""
        return tuple(path.stem for path in self.frames)


class _MaskFolders:
    """Results are a folder of masks a sequence, one for each frame."""

    def is_done(self, given: DavisSequence, results: Path) -> bool:
        """Whether all masks of a sequence are there."""
        return is_whole(results / given.name, given.frame_names)

    def submission(self, listed: Sequence[DavisSequence], results: Path) -> Path | None:
        """None: the folder is what DAVIS's tools take."""
        return None


@dataclass(frozen=True)
class Davis2016(_MaskFolders):
    """All that the first mask marks is one object; results are black and white PNGs in `<sequence>/`.

    The object is followed from the Min-max box of its mask, as the release does it; in the first frame the mask stands
    as it was given.
    """

    def listing(self, data: Path, wanted: Sequence[str] | None) -> Listing[DavisSequence]:
        """The sequences; see :class:`~vis_pipeline.protocols.benchmark.Benchmark`."""
        return davis_listing(data, wanted, ("ImageSets/2016/val.txt", "ImageSets/480p/val.txt"))

    def run(self, given: DavisSequence, trackers: Trackers, results: Path, report: Callable[[int], None]) -> None:
        """Follow the object and write its masks.

        Raises:
            ConfigError: the tracker makes no masks.
            DataError: the mask or a frame cannot be used, or nothing can be written.
        """
        if trackers.predictor is not None:
            require_masks(trackers.predictor)
        first = first_labels(given.mask) > 0
        if not first.any():
            raise DataError(f"mask {given.mask}: has no object")
        box = masks.bounding_boxes(masks.encode(first[None]))[0]
        with new_folder(results / given.name) as filled:
            for found in trackers.follow(read_frames(given.name, given.frames), box):
                if found.frame.index == 0:
                    _require_size(found.frame.image, first, given.mask)
                mask = first if found.frame.index == 0 else shown_mask(found)
                (filled / f"{Path(found.frame.name).stem}.png").write_bytes(black_and_white_png(mask))
                report(1)


@dataclass(frozen=True)
class Davis2017(_MaskFolders):
    """Each value of the first mask is an object; results are PNGs with the palette in `<sequence>/`."""

    def listing(self, data: Path, wanted: Sequence[str] | None) -> Listing[DavisSequence]:
        """The sequences; see :class:`~vis_pipeline.protocols.benchmark.Benchmark`."""
        return davis_listing(data, wanted, ("ImageSets/2017/val.txt",))

    def run(self, given: DavisSequence, trackers: Trackers, results: Path, report: Callable[[int], None]) -> None:
        """Follow the objects together and write their label maps.

        Raises:
            ConfigError: the tracker makes no masks.
            DataError: the mask or a frame cannot be used, or nothing can be written.
        """
        labels = first_labels(given.mask)
        numbers = [int(number) for number in np.unique(labels) if number not in (0, VOID)]
        if not numbers:
            raise DataError(f"mask {given.mask}: has no object")
        begins = {0: numbered_objects(labels, numbers)}
        write_objects(given.name, given.frames, begins, given.frame_names, trackers, results / given.name, report)


def davis_listing(data: Path, wanted: Sequence[str] | None, lists: Sequence[str]) -> Listing[DavisSequence]:
    """The sequences of DAVIS's folders that are wanted; else those of the first of `lists` that is there, or all.

    Raises:
        DataError: the folder is not laid out as DAVIS's, or a list cannot be read.
    """
    frames_dir, masks_dir = davis_folders(data)
    there = {folder.name: folder for folder in subfolders(frames_dir)}
    if wanted is None:
        listed = [data / name for name in lists if (data / name).is_file()]
        wanted = listed_names(listed[0]) if listed else tuple(there)
    found: list[DavisSequence] = []
    left_out: dict[str, str] = {}
    for name in wanted:
        try:
            found.append(_sequence(name, there, frames_dir, masks_dir))
        except DataError as error:
            left_out[name] = str(error)
    return Listing(tuple(found), left_out)


def davis_folders(data: Path) -> tuple[Path, Path]:
    """The folders of frames and of masks, one folder a sequence in each.

    Raises:
        DataError: there is no such pair.
    """
    for frames, annotated in LAYOUTS:
        if (data / frames).is_dir() and (data / annotated).is_dir():
            return data.absolute() / frames, data.absolute() / annotated
    pairs = ", or ".join(f"{frames} and {annotated}" for frames, annotated in LAYOUTS)
    raise DataError(f"{data}: not laid out as DAVIS, with {pairs}")


def first_labels(path: Path) -> NDArray[np.uint8]:
    """The object of each pixel in the mask of a first frame, uint8 [H, W]; 255 is void, and white alone is object 1.

    Raises:
        DataError: the mask is missing or damaged.
    """
    try:
        stored, palette = read_stored(path)
    except DataError as error:
        raise DataError(f"mask {path}: {error}") from error
    labels: NDArray[np.uint8] = label_maps(stored[None], palette)[0]
    return labels


def _sequence(name: str, there: Mapping[str, Path], frames_dir: Path, masks_dir: Path) -> DavisSequence:
    if name not in there:
        raise DataError(f"no folder of that name in {frames_dir}")
    frames = image_paths(there[name])
    mask = masks_dir / name / f"{frames[0].stem}.png"
    if not mask.is_file():
        raise DataError(f"no mask {mask}, that of its first frame")
    return DavisSequence(name, frames, mask)


def _require_size(image: NDArray[np.uint8], mask: NDArray[np.bool_], path: Path) -> None:
    if mask.shape != image.shape[:2]:
        height, width = image.shape[:2]
        raise DataError(f"mask {path}: is {mask.shape[1]}x{mask.shape[0]}, its frame is {width}x{height}")
