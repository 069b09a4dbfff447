"""What lies in a folder of data: without the hidden files that Jupyter, macOS and others leave there."""

from collections.abc import Iterator
from pathlib import Path


def visible(folder: Path) -> Iterator[Path]:
    """The entries of a folder, in no order, without those whose names begin with a dot."""
    return (path for path in folder.iterdir() if not path.name.startswith("."))


def visible_below(folder: Path) -> Iterator[Path]:
    """All files below a folder, in no order, without those that are hidden or lie in a hidden folder."""
    for path in visible(folder):
        if path.is_dir():
            yield from visible_below(path)
        else:
            yield path


def subfolders(folder: Path) -> list[Path]:
    """The visible folders in a folder, in the order of their names."""
    return sorted(path for path in visible(folder) if path.is_dir())
