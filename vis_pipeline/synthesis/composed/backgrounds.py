"""Backgrounds: photographs and sequences of frames found in a folder or a split, with what is annotated in them."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from vis_pipeline.data.image_files import IMAGE_SUFFIXES, image_paths
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Annotation, Category
from vis_pipeline.synthesis.composed.photographs import Photograph

_SPLIT_FILE = "instances.json"
_SPLIT_FRAMES = "JPEGImages"
_LAST_NUMBER = re.compile(r"(\d+)(?=\D*$)")


@dataclass(frozen=True)
class BackgroundObject:
    """An object of the background: its class, and its mask in each frame, None where it is hidden."""

    category_id: int
    segmentations: tuple[Rle | None, ...]


@dataclass(frozen=True)
class Background:
    """A photograph (one path) or the frames of a video in order, with the objects annotated in them."""

    paths: tuple[Path, ...]
    objects: tuple[BackgroundObject, ...] = ()

    @property
    def name(self) -> str:
        """The photograph's file name, or that of the folder of the frames."""
        return self.paths[0].name if len(self.paths) == 1 else self.paths[0].parent.name


def find_backgrounds(
    places: Sequence[Path],
    photographs: Sequence[Photograph],
    categories: Sequence[Category],
    most_objects: int,
    other: Category | None = None,
) -> tuple[Background, ...]:
    """The backgrounds in folders and splits.

    A split is a JSON file, or a folder with `instances.json`, its frames in `JPEGImages` beside it; its objects are
    taken over where their class has the name of one of the `categories`. In another folder, nested or flat, every image
    is a photograph, but a folder below it whose files are numbered in equal steps is a video. Images that are among
    the `photographs` bring their instances along. Left out is what has a crowd, more than `most_objects` annotated
    objects, or one of a class that is none of ours: the result would hold objects that nobody annotated. Where there is
    an `other` category, such an object gets that instead.

    Raises:
        DataError: a place does not exist or holds nothing that can serve.
    """
    annotated = {photograph.path.resolve(): photograph for photograph in photographs}
    found = []
    for place in places:
        split = place if place.suffix == ".json" else place / _SPLIT_FILE
        candidates = list(_of_split(split, categories, other) if split.is_file() else _of_folder(place, annotated))
        serving = [background for background in candidates if background and len(background.objects) <= most_objects]
        if not serving:
            raise DataError(
                f"backgrounds {place}: all {len(candidates)} have crowds, objects of unknown classes, or more than "
                f"{most_objects} objects (a folder of images without annotations is taken as it is)"
            )
        found += serving
    return tuple(found)


def is_sequence(names: Sequence[str]) -> bool:
    """Whether file names differ only in their last number, which counts up in equal steps."""
    numbers = [_LAST_NUMBER.search(Path(name).stem) for name in names]
    values = [int(number.group()) for number in numbers if number]
    others = {_LAST_NUMBER.sub("", Path(name).stem) for name in names}
    steps = {after - before for before, after in pairwise(values)}
    return len(values) == len(names) and len(others) == len(steps) == 1


def _of_folder(folder: Path, annotated: Mapping[Path, Photograph]) -> Iterator[Background | None]:
    """What is in a folder; None for a photograph that cannot serve."""
    if not folder.is_dir():
        raise DataError(f"backgrounds {folder}: no such folder or split")
    some = False
    for name, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if not any(Path(file).suffix.lower() in IMAGE_SUFFIXES for file in files if not file.startswith(".")):
            continue
        some = True
        paths = image_paths(Path(name))
        if Path(name) != folder and is_sequence([path.name for path in paths]):
            yield Background(paths)
        else:
            yield from (_of_photograph(path, annotated.get(path.resolve())) for path in paths)
    if not some:
        raise DataError(f"backgrounds {folder}: holds no images ({', '.join(sorted(IMAGE_SUFFIXES))})")


def _of_photograph(path: Path, photograph: Photograph | None) -> Background | None:
    instances = photograph.instances if photograph else ()
    if any(instance.iscrowd for instance in instances):
        return None
    return Background((path,), tuple(BackgroundObject(item.category_id, (item.mask,)) for item in instances))


def _of_split(path: Path, categories: Sequence[Category], other: Category | None) -> Iterator[Background | None]:
    split = read_split(path)
    ours = {category.name: category.id for category in categories}
    unknown = other.id if other is not None else None
    ids = {category.id: ours.get(category.name, unknown) for category in split.categories}
    by_video: dict[int, list[Annotation]] = {video.id: [] for video in split.videos}
    for annotation in split.annotations or ():
        by_video[annotation.video_id].append(annotation)
    for video in split.videos:
        paths = tuple(path.parent / _SPLIT_FRAMES / name for name in video.file_names)
        if not paths[0].is_file():
            raise DataError(f"backgrounds {path}: video {video.id} ({video.name}) has no frame {paths[0]}")
        objects = [
            BackgroundObject(identifier, annotation.segmentations)
            for annotation in by_video[video.id]
            if (identifier := ids[annotation.category_id]) is not None and not annotation.iscrowd
        ]
        yield Background(paths, tuple(objects)) if len(objects) == len(by_video[video.id]) else None
