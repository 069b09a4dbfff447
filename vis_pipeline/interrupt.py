"""Ctrl-C as the ordinary end of a run that has no other."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ending_at_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """In the block the first SIGINT or SIGTERM calls `stop`, which takes no locks; the next does what it did before.

    Outside of the main thread, which alone gets signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in earlier.items():
            signal.signal(number, handler)

    def once(number: int, frame: FrameType | None) -> None:
        restore()
        stop()

    for number in earlier:
        signal.signal(number, once)
    try:
        yield
    finally:
        restore()
