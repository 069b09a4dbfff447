"""Making things in advance, in a thread, in their order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Key = TypeVar("Key")
Made = TypeVar("Made")


def made_ahead(make: Callable[[Key], Made], keys: Iterable[Key], ahead: int) -> Generator[Made, None, None]:
    """What `make` gives for each key; while one is in use the next `ahead` are in the making, one after another.

    With `ahead` 0 there is no thread. Errors come out in their place. Close the iterator when it is left early.
    """
    if not ahead:
        yield from map(make, keys)
        return
    pending: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        try:
            for key in keys:
                pending.append(thread.submit(make, key))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
