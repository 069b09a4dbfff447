"""The log of a run: lines with their times."""

from datetime import datetime, timezone
from pathlib import Path

from vis_pipeline.errors import DataError


def append_line(log: Path, line: str) -> None:
    """Append a line, with the time, to a log.

    Raises:
        DataError: it cannot be written.
    """
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    try:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{now} {' '.join(line.split())}\n")
    except OSError as error:
        raise DataError(f"{log}: cannot be written ({error.strerror})") from error
