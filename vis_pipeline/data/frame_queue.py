"""The frames between a thread that reads a live source and whoever works on them."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Keep: TypeAlias = Literal["latest", "all"]

_POLL = 0.1


@dataclass(frozen=True)
class TimedImage:
    """An image, uint8 [H, W, 3] BGR, and when it was taken, in seconds from the first one."""

    image: NDArray[np.uint8]
    time: float


class FrameQueue:
    """At most `depth` images wait; at one more the oldest is dropped (keep `latest`), or the reader waits (`all`).

    Words, which tell the user something, are never dropped. `stopped` is asked again and again: once it is true nothing
    more goes in or comes out. It takes no lock, so a signal's handler can be behind it.

    Attributes:
        dropped: images so far that nobody took.
    """

    def __init__(self, depth: int, stopped: Callable[[], bool]) -> None:
        self._depth = depth
        self._stopped = stopped
        self._items: deque[TimedImage | str] = deque()
        self._images = 0
        self._changed = Condition()
        self._closed = False
        self._error: BaseException | None = None
        self.dropped = 0

    def put(self, item: TimedImage, keep: Keep) -> bool:
        """Add an image; False where it is no longer wanted, since the taker has left."""
        with self._changed:
            while keep == "all" and self._images >= self._depth and not self.is_over():
                self._changed.wait(_POLL)
            if self.is_over():
                return False
            if self._images >= self._depth:
                oldest = next(place for place, other in enumerate(self._items) if isinstance(other, TimedImage))
                del self._items[oldest]
                self._images -= 1
                self.dropped += 1
            self._items.append(item)
            self._images += 1
            self._changed.notify_all()
            return True

    def tell(self, words: str) -> None:
        """Add words for the user, in their place among the images."""
        with self._changed:
            self._items.append(words)
            self._changed.notify_all()

    def close(self, error: BaseException | None = None) -> None:
        """No more comes, or no more is wanted; an `error` is raised in the taker after what waits."""
        with self._changed:
            self._closed = True
            self._error = self._error or error
            self._changed.notify_all()

    def take(self) -> TimedImage | str | None:
        """The next image or words, waiting for it; None at the end."""
        with self._changed:
            while not self._items and not self.is_over():
                self._changed.wait(_POLL)
            if self._stopped():
                return None
            if not self._items:
                if self._error is not None:
                    raise self._error
                return None
            item = self._items.popleft()
            self._images -= isinstance(item, TimedImage)
            self._changed.notify_all()
            return item

    def is_over(self) -> bool:
        """Whether no more is wanted."""
        return self._closed or self._stopped()
