"""The videos that wait for a worker."""

from collections import deque
from collections.abc import Sequence
from typing import Generic

from vis_pipeline.runs.parallel.cluster import RaySettings
from vis_pipeline.runs.parallel.tasks import TaskT


class Line(Generic[TaskT]):
    """Hands videos out; those that come back go last, each to a worker that has no other.

    A worker has at most `lockstep` of them under way, and fewer where that would leave other workers without any.
    """

    def __init__(self, tasks: Sequence[TaskT], settings: RaySettings) -> None:
        self._fresh = deque(tasks)
        self._returned: deque[TaskT] = deque()
        self._together = min(settings.lockstep, -(-len(tasks) // settings.workers))

    def __len__(self) -> int:
        return len(self._fresh) + len(self._returned)

    def take(self, under_way: int) -> list[TaskT]:
        """What a worker with so many videos under way is to take up beside them."""
        if self._fresh:
            return [self._fresh.popleft() for _ in range(min(self._together - under_way, len(self._fresh)))]
        return [self._returned.popleft()] if self._returned and not under_way else []

    def put_back(self, task: TaskT) -> None:
        """It is to be tried again."""
        self._returned.append(task)
