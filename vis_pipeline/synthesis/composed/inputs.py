"""What a composed split is made from, opened and checked before the first video."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Category
from vis_pipeline.synthesis.composed.backgrounds import Background, find_backgrounds
from vis_pipeline.synthesis.composed.photographs import PhotographSet, joined, read_photographs, usable_sources
from vis_pipeline.synthesis.composed.settings import ComposeSettings
from vis_pipeline.synthesis.composed.sources import Library, Source, library
from vis_pipeline.synthesis.composed.sprites import find_sprites


@dataclass(frozen=True)
class Inputs:
    """What can be cut out, and what lies behind it."""

    library: Library
    backgrounds: tuple[Background, ...]


def open_inputs(
    settings: ComposeSettings,
    backgrounds: Sequence[Path],
    instances: Sequence[Path] = (),
    images: Sequence[Path] = (),
    sprites: Path | None = None,
    sprite_classes: str = "folder",
    without: Collection[str] = (),
    one_class: str | None = None,
) -> Inputs:
    """Find cut-outs and backgrounds: cut-outs come from COCO files, each with the folder of its images, and of sprites.

    The photographs and sequences named in `without`, by file and by folder, serve for neither. With `one_class` the
    objects of a background may be of any class: what no cut-out is becomes this one.

    Raises:
        DataError: there is neither, or one of them cannot be used; a name in `without` is none of theirs.
    """
    if len(instances) != len(images):
        raise DataError("--instances and --images go together: a COCO file and the folder of its images")
    photographs = PhotographSet((), ())
    names: set[str] = set()
    sources: tuple[Source, ...] = ()
    if instances:
        photographs = joined([read_photographs(*pair) for pair in zip(instances, images, strict=True)])
        names = {photograph.path.name for photograph in photographs.photographs}
        kept = tuple(entry for entry in photographs.photographs if entry.path.name not in without)
        photographs = PhotographSet(photographs.categories, kept)
        sources = usable_sources(photographs, settings.least_pixels)
    categories = photographs.categories
    if sprites is not None:
        categories, found = find_sprites(sprites, sprite_classes, categories)
        sources += found
    if not sources:
        raise DataError("nothing to cut out: give --instances with --images, or --sprites")
    other = None
    if one_class is not None:
        other = Category(1 + max(category.id for category in categories), one_class)
        categories = (*categories, other)
    behind = find_backgrounds(backgrounds, photographs.photographs, categories, settings.own_objects, other)
    unknown = set(without) - names - {background.name for background in behind}
    if unknown:
        raise DataError(f"--without {min(unknown)}: no photograph or sequence has this name")
    behind = tuple(background for background in behind if background.name not in without)
    if not behind:
        raise DataError("--without: leaves no background")
    return Inputs(library(categories, sources), behind)
