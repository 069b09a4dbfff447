"""Annotated photographs, and which of their instances are worth cutting out."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vis_pipeline import masks
from vis_pipeline.data.coco import read_coco
from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Category
from vis_pipeline.synthesis.composed.sources import REACH, InstanceSource


@dataclass(frozen=True, slots=True)
class Instance:
    """One annotated object of a photograph."""

    category_id: int
    mask: Rle
    iscrowd: bool


@dataclass(frozen=True)
class Photograph:
    """An image file, its size in pixels, and what is annotated in it."""

    path: Path
    width: int
    height: int
    instances: tuple[Instance, ...]


@dataclass(frozen=True)
class PhotographSet:
    """The photographs of a COCO file in the file's order, and its categories by their ids."""

    categories: tuple[Category, ...]
    photographs: tuple[Photograph, ...]


def read_photographs(path: Path, images: Path) -> PhotographSet:
    """Read a COCO file of instances whose image files are below `images`.

    Masks may be polygons, compressed or uncompressed RLE; they are held as compressed RLE.

    Raises:
        DataError: the file is missing, not JSON, not COCO's form, or contradicts itself; an annotated image is missing.
    """
    split = read_coco(path)
    instances: dict[int, list[Instance]] = defaultdict(list)
    for annotation in split.annotations or ():
        (mask,) = annotation.segmentations
        if mask is not None:
            instances[annotation.video_id].append(Instance(annotation.category_id, mask, annotation.iscrowd))
    found = PhotographSet(
        tuple(sorted(split.categories, key=lambda category: category.id)),
        tuple(
            Photograph(images / image.file_names[0], image.width, image.height, tuple(instances[image.id]))
            for image in split.videos
            if image.id in instances
        ),
    )
    missing = [photograph.path for photograph in found.photographs if not photograph.path.is_file()]
    if missing:
        count = f"{len(missing)} of {len(found.photographs)} images are missing"
        raise DataError(
            f"images {images}: {count}, the first is {missing[0].name}; give the folder that the file names start from"
        )
    return found


def joined(sets: Sequence[PhotographSet]) -> PhotographSet:
    """The photographs of several sets: categories meet by name; one whose id another name has taken gets a new one."""
    ids: dict[str, int] = {}
    photographs: list[Photograph] = []
    for found in sets:
        renamed = {}
        for category in found.categories:
            free = category.id if category.id not in ids.values() else 1 + max(ids.values())
            renamed[category.id] = ids.setdefault(category.name, free)
        for photograph in found.photographs:
            instances = tuple(
                replace(instance, category_id=renamed[instance.category_id]) for instance in photograph.instances
            )
            photographs.append(replace(photograph, instances=instances))
    categories = (Category(identifier, name) for name, identifier in ids.items())
    return PhotographSet(tuple(sorted(categories, key=lambda category: category.id)), tuple(photographs))


def usable_sources(found: PhotographSet, least_pixels: int) -> tuple[InstanceSource, ...]:
    """The instances that may be cut out, in the file's order.

    Such an instance is no crowd, has `least_pixels`, and does not touch its photograph's border.

    Raises:
        DataError: there is none; the line says why.
    """
    faults: Counter[str] = Counter()
    usable = []
    for photograph in found.photographs:
        for source in _sources(photograph, least_pixels):
            if isinstance(source, str):
                faults[source] += 1
            else:
                usable.append(source)
    if not usable:
        reasons = ", ".join(f"{count} {reason}" for reason, count in faults.most_common()) or "there are none at all"
        raise DataError(f"no instance can be cut out: {reasons}; give other annotations")
    return tuple(usable)


def _sources(photograph: Photograph, least_pixels: int) -> Iterator[InstanceSource | str]:
    """Each instance that may be cut out, or the reason why it may not."""
    rles = [instance.mask for instance in photograph.instances]
    areas, boxes = masks.area(rles), masks.bounding_boxes(rles)
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    outside = np.concatenate([low < 1, high > np.array([photograph.width, photograph.height]) - 1], axis=1)
    at_border = np.flatnonzero(outside.any(axis=1)).tolist()
    for index, instance in enumerate(photograph.instances):
        if instance.iscrowd:
            yield "crowds"
        elif areas[index] < least_pixels:
            yield f"smaller than {least_pixels} pixels"
        elif index in at_border:
            yield "touching the border of their image"
        else:
            near = (low < high[index] + REACH).all(axis=1) & (high > low[index] - REACH).all(axis=1)
            others = tuple(rles[other] for other in np.flatnonzero(near).tolist() if other != index)
            yield InstanceSource(photograph.path, instance.category_id, instance.mask, others)
