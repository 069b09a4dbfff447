"""One process at a time in a run folder."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from vis_pipeline.errors import DataError

_NAME = ".lock"


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Keep a run folder, which is made if need be, to this process until the block ends, however it ends.

    Where the file system knows no locks the block runs without.

    Raises:
        DataError: another process has it (the line says which), or nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _NAME).open("a+", encoding="utf-8")
    except OSError as error:
        raise DataError(f"run folder {folder}: cannot be written ({error.strerror}); give another --out") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise DataError(
                f"run folder {folder}: in use by {holder}; wait for it to end, or give another --out"
            ) from None
        except OSError:
            yield
            return
        begun = datetime.now(timezone.utc).isoformat(timespec="seconds")
        # A full disk takes the name of the holder only, not the lock.
        with suppress(OSError):
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()} since {begun}")
            file.flush()
        yield
