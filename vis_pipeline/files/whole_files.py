"""Files that come into their place whole and on the disk, or not at all: a full disk or a kill loses nothing old."""

import errno
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import MOST_JSON, read_regular

_ENDING = ".part"


def unfinished(path: Path) -> Path:
    """Where this process fills what is to become `path`: in the same folder, hidden, and of no other process."""
    return path.with_name(f".{path.name}.{os.getpid()}{_ENDING}")


def left_over(path: Path) -> list[Path]:
    """What processes, this one or others, have filled to become `path` and not put in place."""
    form = re.compile(rf"\.{re.escape(path.name)}\.\d+{re.escape(_ENDING)}")
    return [found for found in path.parent.iterdir() if form.fullmatch(found.name)]


def put_in_place(filled: Path, path: Path) -> None:
    """Rename a file that is complete to `path`, in the same folder, once its bytes are on the disk.

    Raises:
        OSError: the disk does not take it, or `path` is there and no regular file, such as /dev/null.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file")
    sync(filled)
    filled.replace(path)
    # Some file systems cannot sync a folder. Without it a power cut may bring the old file back, which is whole, too.
    with suppress(OSError):
        sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk, whoever wrote it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write what is put in place as `path` when the block ends; after an error nothing of it is left.

    Raises:
        OSError: as :func:`put_in_place`.
    """
    filled = unfinished(path)
    try:
        yield filled
        put_in_place(filled, path)
    finally:
        filled.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left in a folder that no other process writes to now."""
    for path in folder.glob(f".*{_ENDING}"):
        path.unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; what lies under /dev, such as /dev/stdout, gets the bytes as they are.

    Raises:
        DataError: nothing can be written there.
    """
    try:
        if path.parts[:2] == ("/", "dev"):
            path.write_bytes(data)
            return
        with replacing(path) as filled:
            filled.write_bytes(data)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 as :func:`write_bytes` does."""
    write_bytes(path, text.encode())


def copy_file(source: Path, path: Path) -> None:
    """Write the bytes of a regular file of moderate size to another as :func:`write_bytes` does.

    Raises:
        DataError: the one cannot be read, or the other not be written.
    """
    try:
        data = read_regular(source, MOST_JSON)
    except OSError as error:
        raise DataError(f"{source}: cannot be read ({error.strerror})") from error
    write_bytes(path, data)


def append_bytes(path: Path, data: bytes) -> None:
    """Add to the end of a file; once it returns, the bytes are on the disk. A kill may leave a part of them.

    Raises:
        DataError: the disk does not take them.
    """
    try:
        with path.open("ab") as file:
            file.write(data)
        sync(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error


def write_json_list(path: Path, entries: Iterable[Any]) -> None:
    """Write a JSON list as :func:`write_bytes` does, entry by entry: it need not fit into memory.

    Raises:
        DataError: nothing can be written there.
    """
    try:
        with replacing(path) as filled, filled.open("w", encoding="utf-8") as file:
            for number, entry in enumerate(entries):
                file.write((", " if number else "[") + json.dumps(entry))
            file.write("]" if file.tell() else "[]")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error
