"""JSON files from outside, read whole or opened for :class:`~vis_pipeline.files.json_stream.JsonStream`."""

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from vis_pipeline.errors import DataError
from vis_pipeline.files.json_stream import JsonStream

GZIP_MARK = b"\x1f\x8b"
ZIP_MARK = b"PK"
SHOWN_NAMES = 3


def read_json(path: Path) -> Any:
    """The one value of a file.

    Raises:
        DataError: the file is missing or damaged, or holds something else besides.
    """
    with open_json(path) as (file, _):
        stream = JsonStream(file)
        content = stream.value()
        stream.finish()
    return content


@contextmanager
def open_json(path: Path, in_archive: str | None = None) -> Iterator[tuple[IO[bytes], int]]:
    """Open a file and give it with its size in bytes, unpacked.

    With `in_archive`, the file may also be a folder or a zip, known by its content or its name, that has a file of that
    name at its root.

    Raises:
        DataError: the file is missing, damaged, or in another form; also for what goes wrong while it is read.
    """
    try:
        with ExitStack() as opened:
            if path.is_dir() and in_archive is not None:
                path = _in_folder(path, in_archive)
            file = opened.enter_context(path.open("rb"))
            mark = file.peek(2)[:2]
            if mark == GZIP_MARK:
                raise DataError("compressed by gzip: unpack it first")
            if mark == ZIP_MARK or path.suffix == ".zip":
                yield _in_zip(opened.enter_context(zipfile.ZipFile(file)), in_archive, opened)
            else:
                yield file, path.stat().st_size
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise DataError(f"not a readable zip ({error})") from error


def _in_folder(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise DataError(f"holds no {name}; has the run finished?")
    return folder / name


def _in_zip(archive: zipfile.ZipFile, name: str | None, opened: ExitStack) -> tuple[IO[bytes], int]:
    if name is None:
        raise DataError("a zip: unpack it first")
    if name not in archive.namelist():
        inside = [member for member in archive.namelist() if member.endswith(f"/{name}")]
        hint = f", only {inside[0]}; zip it with no folder" if inside else f"; it holds {_listed(archive.namelist())}"
        raise DataError(f"holds no {name} at its top level{hint}")
    try:
        member = opened.enter_context(archive.open(name))
    except (RuntimeError, NotImplementedError) as error:
        raise DataError(f"not a readable zip ({error})") from error
    return member, archive.getinfo(name).file_size


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN_NAMES]) + (", ..." if len(names) > SHOWN_NAMES else "") if names else "nothing"
