"""What is read from outside: regular files of bounded size. A pipe may never begin, and a device never ends.

The bounds are generous to real data (docs/reliability.md states them); what is refused is an `OSError` in words, so
that whoever reads says of which file it is, as of any other that cannot be read.
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

MEGABYTE = 10**6
# Lists, labels, configs and tables of classes, which are read whole.
MOST_TEXT = 256 * MEGABYTE
# Of one encoded image; a 16K picture of 16 bits a channel has 800 MB before it is compressed.
MOST_IMAGE = 1000 * MEGABYTE
# Splits, results and detections, of which a piece is held at a time.
MOST_JSON = 64_000 * MEGABYTE
# Of what is gone through piece by piece and not kept.
MOST_BYTES = 10_000_000 * MEGABYTE
# Of one file from a server.
MOST_DOWNLOAD = 16_000 * MEGABYTE
# Weights, states of trainings, and features.
MOST_ARRAYS = 64_000 * MEGABYTE

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def open_regular(path: Path, most: int) -> BufferedReader:
    """Open a regular file of at most `most` bytes for reading.

    Raises:
        OSError: there is none, or it is something else or larger; `strerror` says so.
    """
    # Without this flag the opening of a pipe waits for somebody who writes to it.
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    except ValueError as error:
        raise OSError(errno.EINVAL, f"{error} in its name") from error
    try:
        found = os.fstat(descriptor)
        kind = next((name for is_kind, name in _KINDS if is_kind(found.st_mode)), None)
        if kind is not None:
            raise OSError(errno.EINVAL, f"{kind}, not a regular file", str(path))
        if found.st_size > most:
            raise _too_large(path, most)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: as :func:`open_regular`; also for one that grows beyond `most` bytes while it is read.
    """
    with open_regular(path, most) as file:
        # Not `most`, which Python would allocate at once. Beyond its size reads one that grows, or of /proc.
        data = file.read(os.fstat(file.fileno()).st_size)
        while more := file.read(MEGABYTE):
            data += more
            if len(data) > most:
                raise _too_large(path, most)
    return data


def read_text(path: Path, most: int = MOST_TEXT) -> str:
    """The text of a regular file in UTF-8, without the mark that editors on Windows begin it with.

    Raises:
        OSError: as :func:`open_regular`.
        UnicodeDecodeError: it is no text in UTF-8.
    """
    return read_regular(path, most).decode("utf-8-sig")


def require_regular(path: Path, most: int) -> None:
    """Refuse, before a library opens it by its name, what :func:`open_regular` refuses.

    Raises:
        OSError: as :func:`open_regular`.
    """
    open_regular(path, most).close()


def _too_large(path: Path, most: int) -> OSError:
    return OSError(errno.EFBIG, f"larger than {most / MEGABYTE:,.0f} MB, the most that is read", str(path))
