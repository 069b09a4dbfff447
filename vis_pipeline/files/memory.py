"""Whether there is memory for what is about to be read."""

from pathlib import Path

from vis_pipeline.errors import DataError

MEMORY_INFO = Path("/proc/meminfo")
CONTROL_GROUP = Path("/sys/fs/cgroup")
GIGABYTE = 1e9


def require_memory(needed: float) -> None:
    """Refuse what needs more bytes than are free.

    Raises:
        DataError: it does; the line says how much is needed and how much there is.
    """
    free = free_memory()
    if free is not None and needed > free:
        raise DataError(
            f"needs about {needed / GIGABYTE:.1f} GB of memory, and {free / GIGABYTE:.1f} GB are free: "
            "split it by videos, or use a machine with more"
        )


def free_memory() -> int | None:
    """Bytes that the machine, and the container if there is one, can still give; None where the system does not say."""
    limits = [limit for limit in (_free_in_machine(), _free_in_container()) if limit is not None]
    return min(limits, default=None)


def _free_in_machine() -> int | None:
    available = _numbers(MEMORY_INFO).get("MemAvailable:")
    return None if available is None else available * 1024


def _free_in_container() -> int | None:
    limit = _text(CONTROL_GROUP / "memory.max").strip()
    # What is cached of files is given up as soon as it is needed.
    used = _numbers(CONTROL_GROUP / "memory.stat").get("anon")
    return int(limit) - used if limit.isdecimal() and used is not None else None


def _numbers(path: Path) -> dict[str, int]:
    rows = [line.split() for line in _text(path).splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
