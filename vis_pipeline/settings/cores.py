"""The cores that this process may really use, and OpenMP's threads kept from fighting over them."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def cores() -> int:
    """Cores by affinity and by the container's quota, the lower of the two and at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cgroup_quota(CGROUP)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def cgroup_quota(cgroup: Path) -> float | None:
    """Cores that a cgroup (version 2 or 1) grants, None where it sets no limit."""
    unified = _words(cgroup / "cpu.max")
    limit, period = unified if len(unified) == 2 else ["", ""]
    if not unified:
        limit = "".join(_words(cgroup / "cpu" / "cpu.cfs_quota_us"))
        period = "".join(_words(cgroup / "cpu" / "cpu.cfs_period_us"))
    if limit.isdecimal() and period.isdecimal() and int(limit) and int(period):
        return int(limit) / int(period)
    return None


def threads_each(processes: int) -> int:
    """Threads for each of so many processes: the cores shared out, but no more than OMP_NUM_THREADS asks for."""
    return max(1, min(_asked_for() or cores(), cores() // processes))


def thread_environment(threads: int) -> dict[str, str]:
    """Environment for a process that may run so many threads.

    OpenMP's idle threads wait in a busy loop by default: on a busy machine they take the cores from those that work.
    To sleep at once costs as much on an idle one, whose threads are wanted again some microseconds later: GNU's look
    that often before they sleep.
    """
    count = str(threads)
    return {
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": "10000",
    }


def limit_threads() -> None:
    """Set this process's environment so, where the user has not; before torch and NumPy are imported.

    Torch takes the largest of the counts, so one that the user gave for OpenMP holds for the other libraries too.
    """
    ours = thread_environment(_asked_for() or cores())
    if "OMP_WAIT_POLICY" in os.environ:
        del ours["GOMP_SPINCOUNT"]
    for name, value in ours.items():
        os.environ.setdefault(name, value)


def _asked_for() -> int | None:
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
