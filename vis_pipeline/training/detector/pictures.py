"""Still pictures with labelled objects from COCO files and YouTube-VIS splits, each with what is not labelled in it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.data.class_table import ClassTable
from vis_pipeline.data.coco import read_coco
from vis_pipeline.data.single_frames import as_single_frames
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.structures.splits import Annotation, Split

ALL = "all"


@dataclass(frozen=True)
class Labelled:
    """An object in a picture.

    Attributes:
        label: index of its class.
        box: x1, y1, x2, y2 of its mask, whole pixels, exclusive ends.
        mask: bool [y2 - y1, x2 - x1], the mask within the box.
        crowd: many objects that were drawn as one; to be ignored.
    """

    label: int
    box: tuple[int, int, int, int]
    mask: NDArray[np.bool_]
    crowd: bool

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        return int(self.mask.sum())


@dataclass(frozen=True)
class Picture:
    """A picture file of `height` x `width` pixels and its labelled objects.

    `unlabelled` are indices of the classes of which it may show objects that have no label.
    """

    path: Path
    height: int
    width: int
    objects: tuple[Labelled, ...]
    unlabelled: tuple[int, ...]


@dataclass(frozen=True)
class PictureSource:
    """Where pictures come from.

    Attributes:
        annotations: a COCO file, or a YouTube-VIS split, whose frames are taken one by one.
        images: the folder of its file names.
        kind: `coco` or `split`.
        labelled: the categories of which every object is labelled in every picture, or `all`.
        every: of a split, take one in so many frames of a video.
        folders: of the files that lie in one of these folders, the category of all objects; other files are left out.
        without_every: leave out the first, and every n-th after it, of the pictures in the order of their ids: to be
            held out. 0 leaves none out.
        only_every: take those instead.
        weight: share among the draws.
    """

    annotations: str
    images: str
    kind: str = "coco"
    labelled: str | Sequence[str] = ALL
    every: int = 1
    folders: Mapping[str, str] | None = None
    without_every: int = 0
    only_every: int = 0
    weight: float = 1.0


def read_pictures(source: PictureSource, classes: ClassTable) -> list[Picture]:
    """The pictures of a source, in the order of the file.

    Raises:
        ConfigError: the source contradicts itself or its file.
        DataError: the file cannot be read or has no annotations.
    """
    split = _read(source)
    if split.annotations is None:
        raise DataError(f"split {source.annotations}: has no annotations to learn from")
    names = {category.id: category.name for category in split.categories}
    known = set(names.values())
    unlabelled = () if source.labelled == ALL else classes.not_covered(source.labelled, known)
    by_picture: dict[int, list[Annotation]] = defaultdict(list)
    for annotation in split.annotations:
        by_picture[annotation.video_id].append(annotation)
    taken = _taken(source, sorted(video.id for video in split.videos))
    pictures = []
    for video in split.videos:
        folder = _folder(video.file_names[0], source.folders)
        if video.id not in taken or (source.folders is not None and folder is None):
            continue
        renamed = None if source.folders is None or folder is None else source.folders[folder]
        objects = tuple(_objects(by_picture[video.id], names, classes, renamed))
        path = Path(source.images) / video.file_names[0]
        pictures.append(Picture(path, video.height, video.width, objects, unlabelled))
    if not pictures:
        raise DataError(f"{source.annotations}: no picture is left to take")
    return pictures


def _read(source: PictureSource) -> Split:
    if source.kind == "coco":
        return read_coco(Path(source.annotations))
    if source.kind == "split":
        return as_single_frames(read_split(Path(source.annotations)), source.every)
    raise ConfigError(f"source {source.annotations}: kind {source.kind!r} is none of coco, split")


def _taken(source: PictureSource, ids: Sequence[int]) -> set[int]:
    if source.without_every:
        return set(ids) - set(ids[:: source.without_every])
    return set(ids[:: source.only_every or 1])


def _folder(file_name: str, folders: Mapping[str, str] | None) -> str | None:
    parent = str(PurePosixPath(file_name).parent)
    return parent if folders is not None and parent in folders else None


def _objects(
    annotations: Sequence[Annotation], names: Mapping[int, str], classes: ClassTable, renamed: str | None
) -> Iterator[Labelled]:
    visible = [(entry, rle) for entry in annotations if (rle := entry.segmentations[0]) is not None]
    for (entry, rle), box in zip(visible, masks.bounding_boxes([rle for _, rle in visible]), strict=True):
        left, top, width, height = (int(value) for value in box)
        label = classes.label(renamed or names[entry.category_id])
        if label is not None and width > 0 and height > 0:
            window = masks.decode(rle)[top : top + height, left : left + width]
            yield Labelled(label, (left, top, left + width, top + height), window.copy(), bool(entry.iscrowd))
