"""The image files that make up one video: those of a folder, or those that a pattern matches, in natural order."""

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

from vis_pipeline.data.listings import visible
from vis_pipeline.errors import DataError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


def image_paths(folder: Path) -> tuple[Path, ...]:
    """The images in a folder, but for hidden ones, in the natural order of their names: 2.jpg before 10.jpg.

    Raises:
        DataError: there are none.
    """
    if found := _in_order(path for path in visible(folder) if is_image(path)):
        return found
    raise DataError(f"folder {folder}: holds no images ({', '.join(sorted(IMAGE_SUFFIXES))})")


def is_image(path: Path) -> bool:
    """Whether a file is an image by its name."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def is_pattern(text: str) -> bool:
    """Whether a text stands for files by `*`, `?` or `[...]`; the name of a file that is there stands for that file."""
    return glob.has_magic(text) and not os.path.lexists(text)


def matching_files(pattern: str) -> tuple[Path, ...]:
    """The files that a pattern matches (`**` for folders of any depth), but for hidden ones, in natural order.

    Raises:
        DataError: there are none.
    """
    # pathlib's own takes no pattern with a root.
    matched = map(Path, glob.glob(pattern, recursive=True))  # noqa: PTH207
    if found := _in_order(path for path in matched if path.is_file()):
        return found
    raise DataError(f"video {pattern}: no file matches")


def _in_order(paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(sorted(paths, key=lambda path: [_natural_order(part) for part in path.parts]))


def _natural_order(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
