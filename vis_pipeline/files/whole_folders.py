"""Folders of many files that come into their place whole and on the disk, or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import left_over, sync, unfinished


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Where to fill a folder that comes into its place as `path` when the block ends; after an error nothing is left.

    What killed processes left of the same folder is removed; so one process at a time may write it.

    Raises:
        DataError: something is at `path`, or nothing can be written there.
    """
    filled = unfinished(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in left_over(path):
            shutil.rmtree(left)
        if path.exists():
            raise DataError(f"{path}: is there, and is not what is to be written; remove it, or give another folder")
        filled.mkdir()
        yield filled
        for file in filled.rglob("*"):
            sync(file)
        sync(filled)
        filled.rename(path)
        # As for files: some file systems cannot.
        with suppress(OSError):
            sync(path.parent)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(filled, ignore_errors=True)
