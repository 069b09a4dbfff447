"""JSON files from outside, read whole or opened for :class:`~vis_pipeline.files.json_stream.JsonStream`."""

import io
import json
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from vis_pipeline.errors import DataError
from vis_pipeline.files.json_stream import DamagedJsonError, JsonStream
from vis_pipeline.files.regular_files import MOST_JSON, open_regular

GZIP_MARK = b"\x1f\x8b"
ZIP_MARK = b"PK"
SHOWN_NAMES = 3
# A member of a zip that unpacks to more than so many times its bytes is refused, if it is not small. Deflate reaches
# 1,032; results, of run-lengths and of nulls, reach 100.
MOST_UNPACKING = 300
SMALL_MEMBER = 64 * 2**20


def read_json(path: Path, most: int = MOST_JSON) -> Any:
    """The one value of a file of at most `most` bytes.

    Raises:
        DataError: the file is missing or damaged, too large, or holds something else besides; the text says which, not
            where.
    """
    with open_json(path, most=most) as (file, _):
        return _only_value(file)


def value_of(data: bytes) -> Any:
    """The one value of a file that is in memory, read as :func:`read_json` does.

    Raises:
        DamagedJsonError: it is no JSON, or holds something else besides.
    """
    return _only_value(io.BytesIO(data))


def parsed_json(text: bytes | str) -> Any:
    """The one value of a text that is in memory.

    Raises:
        DamagedJsonError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise DamagedJsonError("nested too deeply") from error
    except ValueError as error:
        raise DamagedJsonError(f"not JSON ({error})") from error


@contextmanager
def open_json(path: Path, in_archive: str | None = None, most: int = MOST_JSON) -> Iterator[tuple[IO[bytes], int]]:
    """Open a file and give it with its size in bytes, unpacked.

    With `in_archive`, the file may also be a folder or a zip, known by its content or its name, that has a file of that
    name at its root.

    Raises:
        DataError: the file is missing, damaged, too large, or in another form; also for what goes wrong while it is
            read.
    """
    try:
        with ExitStack() as opened:
            if path.is_dir() and in_archive is not None:
                path = _in_folder(path, in_archive)
            file = opened.enter_context(open_regular(path, most))
            mark = file.peek(2)[:2]
            if mark == GZIP_MARK:
                raise DataError("compressed by gzip: unpack it first")
            if mark == ZIP_MARK or path.suffix == ".zip":
                yield _in_zip(opened.enter_context(zipfile.ZipFile(file)), in_archive, opened)
            else:
                yield file, os.fstat(file.fileno()).st_size
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise DataError(f"not a readable zip ({error})") from error


def _only_value(file: IO[bytes]) -> Any:
    stream = JsonStream(file)
    content = stream.value()
    stream.finish()
    return content


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
    _require_honest(archive.getinfo(name))
    return member, archive.getinfo(name).file_size


def _require_honest(member: zipfile.ZipInfo) -> None:
    """Refuse what a few bytes were made for to fill memory and disk."""
    if member.file_size > max(SMALL_MEMBER, MOST_UNPACKING * member.compress_size):
        raise DataError(
            f"a zip whose {member.filename} unpacks from {member.compress_size / 1e6:.1f} MB to "
            f"{member.file_size / 1e6:,.0f} MB, which no results do; unpack it first, if it is to be read"
        )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN_NAMES]) + (", ..." if len(names) > SHOWN_NAMES else "") if names else "nothing"
