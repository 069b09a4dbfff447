import threading
import time

import numpy as np
import pytest

from vis_pipeline.data.frame_queue import FrameQueue, TimedImage


def image(number: int) -> TimedImage:
    return TimedImage(np.zeros((1, 1, 3), np.uint8), float(number))


def drained(queue: FrameQueue) -> list[float | str]:
    found = []
    while (item := queue.take()) is not None:
        found.append(item if isinstance(item, str) else item.time)
    return found


def test_the_latest_are_kept_and_words_are_never_dropped() -> None:
    queue = FrameQueue(3, lambda: False)
    queue.tell("before")
    for number in range(5):
        assert queue.put(image(number), "latest")
        if number == 1:
            queue.tell("between")
    queue.close()
    assert drained(queue) == ["before", "between", 2.0, 3.0, 4.0]
    assert queue.dropped == 2


def test_keeping_all_makes_the_reader_wait() -> None:
    queue = FrameQueue(2, lambda: False)
    put: list[int] = []

    def read() -> None:
        for number in range(6):
            queue.put(image(number), "all")
            put.append(number)
        queue.close()

    thread = threading.Thread(target=read)
    thread.start()
    time.sleep(0.05)
    assert put == [0, 1]
    assert drained(queue) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    thread.join(5)
    assert queue.dropped == 0 and put == list(range(6))


def test_an_error_comes_after_what_was_read() -> None:
    queue = FrameQueue(2, lambda: False)
    queue.put(image(0), "all")
    queue.close(ValueError("broken"))
    assert queue.take() is not None
    with pytest.raises(ValueError, match="broken"):
        queue.take()


def test_both_sides_end_soon_once_it_is_stopped() -> None:
    stopped: list[bool] = []
    queue = FrameQueue(1, lambda: bool(stopped))
    queue.put(image(0), "all")
    outcomes: list[bool] = []
    thread = threading.Thread(target=lambda: outcomes.append(queue.put(image(1), "all")))
    thread.start()
    stopped.append(True)
    thread.join(5)
    assert outcomes == [False] and queue.take() is None and queue.is_over()
