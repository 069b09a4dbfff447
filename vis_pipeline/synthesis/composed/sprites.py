"""Sprites: pictures with an alpha channel in a folder, and the classes that their places or names give them."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from vis_pipeline.data.listings import visible_below
from vis_pipeline.errors import DataError
from vis_pipeline.files.images import open_picture
from vis_pipeline.structures.splits import Category
from vis_pipeline.synthesis.composed.sources import UNREADABLE, SpriteSource

SPRITE_SUFFIXES = frozenset({".png", ".webp"})
DEFAULT_CLASS = "sprite"

_NUMBER_AT_END = re.compile(r"[-_ .]*\d+$")


def find_sprites(
    folder: Path, classes: str, known: Sequence[Category]
) -> tuple[tuple[Category, ...], tuple[SpriteSource, ...]]:
    """The sprites below a folder, and all categories: those `known` and a new one for each other class of sprite.

    By `folder` the class is the name of the folder below `folder` that the file is in (`sprite` where it is in none);
    by `name` the file's name without the number at its end.

    Raises:
        DataError: `classes` is neither; there are no sprites, or one has no alpha channel or cannot be read.
    """
    if classes not in _CLASS_OF:
        raise DataError(f"--sprite-classes {classes}: give one of {', '.join(_CLASS_OF)}")
    if not folder.is_dir():
        raise DataError(f"sprites {folder}: not a folder")
    paths = sorted(path for path in visible_below(folder) if path.suffix.lower() in SPRITE_SUFFIXES)
    if not paths:
        raise DataError(f"sprites {folder}: holds no {' or '.join(sorted(SPRITE_SUFFIXES))} files")
    names = [_CLASS_OF[classes](path.relative_to(folder)) for path in paths]
    ids = {category.name: category.id for category in known}
    free = max(ids.values(), default=0) + 1
    new = [Category(free + place, name) for place, name in enumerate(sorted(set(names) - ids.keys()))]
    ids |= {category.name: category.id for category in new}
    for path in paths:
        _require_alpha(path)
    sprites = tuple(SpriteSource(path, ids[name]) for path, name in zip(paths, names, strict=True))
    return (*known, *new), sprites


def _by_folder(path: Path) -> str:
    return path.parts[0] if len(path.parts) > 1 else DEFAULT_CLASS


def _by_name(path: Path) -> str:
    return _NUMBER_AT_END.sub("", path.stem) or DEFAULT_CLASS


_CLASS_OF: dict[str, Callable[[Path], str]] = {"folder": _by_folder, "name": _by_name}


def _require_alpha(path: Path) -> None:
    try:
        with open_picture(path) as picture:
            transparent = "A" in picture.getbands() or "transparency" in picture.info
    except UNREADABLE as error:
        raise DataError(f"sprite {path}: cannot be read ({error})") from error
    if not transparent:
        raise DataError(f"sprite {path}: has no alpha channel; give pictures with a transparent ground")
