"""Processes that share out work for a while."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, util

from vis_pipeline.interrupt import received

_PATIENCE_SECONDS = 1.0


@contextmanager
def process_pool(workers: int, initializer: Callable[[], None] | None = None) -> Iterator[ProcessPoolExecutor]:
    """A pool of so many processes, each of which calls `initializer` first; waited for at the end.

    Not for long after a signal, which has ended them: the rest of an answer that one was killed in would be waited for
    without end.
    """
    # Spawned, not forked: OpenCV's threads do not survive a fork, and a child that needs them hangs.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=initializer)
    try:
        yield pool
    finally:
        ending = threading.Thread(target=pool.shutdown, daemon=True)
        ending.start()
        ending.join(None if received() is None else _PATIENCE_SECONDS)
        if ending.is_alive():
            # As at Python's own end, which a signal's is not: the pool's semaphores are files.
            util._run_finalizers(0)  # type: ignore[attr-defined]
