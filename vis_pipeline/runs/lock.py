"""One process at a time in a run folder, and the folder the same one for as long."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO
from uuid import uuid4

from vis_pipeline.errors import DataError
from vis_pipeline.terminal import echo

_NAME = ".lock"


@dataclass(frozen=True)
class Claim:
    """By what a process knows that the folder is still the one that it took.

    Attributes:
        folder: its path, by which everything in it is written.
        mark: the content of its lock file; None where it could not be written.
        device_and_inode: of the folder, which the holder keeps open, so that no other gets them; None elsewhere than in
            the holder's process: other machines may number it otherwise.
    """

    folder: Path
    mark: str | None
    device_and_inode: tuple[int, int] | None

    def require(self) -> None:
        """Look before something is written by the folder's path.

        Raises:
            DataError: another folder lies there, or none, or another process has taken it.
        """
        try:
            there = self.folder.stat()
            moved = self.device_and_inode not in (None, (there.st_dev, there.st_ino))
            mark = (self.folder / _NAME).read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            moved, mark = True, ""
        except OSError as error:
            raise DataError(f"run folder {self.folder}: cannot be read ({error.strerror})") from error
        if moved or (self.mark is not None and not mark.strip()):
            raise DataError(
                f"run folder {self.folder}: was moved, removed or replaced while the run went on, which has ended; "
                "what is finished is in the folder where it is now: move it back and give the same command"
            )
        if self.mark is not None and mark != self.mark:
            raise DataError(
                f"run folder {self.folder}: was taken by {_holder(mark)} while the run went on, which has ended; "
                "wait for the other to end, or give another --out"
            )

    def for_other_processes(self) -> "Claim":
        """The same, as workers can check it."""
        return replace(self, folder=self.folder.resolve(), device_and_inode=None)


@contextmanager
def holding(folder: Path) -> Iterator[Claim]:
    """Keep a run folder, which is made if need be, to this process until the block ends, however it ends.

    Where the file system knows no locks the block runs without, and that is said: a second process is not kept out, but
    this one ends as soon as it sees the other's mark.

    Raises:
        DataError: another process has it (the line says which), or nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _NAME).open("a+", encoding="utf-8")
        directory = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise DataError(f"run folder {folder}: cannot be written ({error.strerror}); give another --out") from error
    with file:
        try:
            _lock(file, folder)
            known = os.fstat(directory)
            yield Claim(folder, _mark(file), (known.st_dev, known.st_ino))
        finally:
            os.close(directory)


def _lock(file: TextIO, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "another process"
        raise DataError(f"run folder {folder}: in use by {holder}; wait for it to end, or give another --out") from None
    except OSError as error:
        echo(
            f"note: run folder {folder}: its file system has no locks ({error.strerror}); "
            "see to it that no second run uses the folder",
            err=True,
        )


def _holder(mark: str) -> str:
    """Who holds the folder; the lines after the first tell marks apart."""
    return next(iter(mark.splitlines()), "") or "another process"


def _mark(file: TextIO) -> str | None:
    """Write who holds the folder; a full disk takes this alone."""
    begun = datetime.now(timezone.utc).isoformat(timespec="seconds")
    mark = f"process {os.getpid()} on {socket.gethostname()} since {begun}\n{uuid4().hex}\n"
    with suppress(OSError):
        file.truncate(0)
        file.write(mark)
        file.flush()
        return mark
    return None
