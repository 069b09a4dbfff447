"""A run that looks after its folder while its videos are under way."""

import time
from collections.abc import Mapping

from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.progress import ProgressListener

LOOK_SECONDS = 1.0


class Minding:
    """Passes on what is told, and ends a run whose folder is not its own any more; that is seen within seconds.

    Without it, it would show only when a video has ended.
    """

    def __init__(self, listener: ProgressListener, folder: RunFolder) -> None:
        self._listener = listener
        self._folder = folder
        self._looked = float("-inf")

    def start(self, expected: Mapping[int, int | None], already_finished: int) -> None:
        """See :class:`~vis_pipeline.runs.progress.ProgressListener`."""
        self._listener.start(expected, already_finished)

    def advance(self, video_id: int, frames: int) -> None:
        """See :class:`~vis_pipeline.runs.progress.ProgressListener`.

        Raises:
            DataError: the folder was moved, removed, replaced or taken.
        """
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._folder.require_ours()
            self._looked = time.monotonic()
        self._listener.advance(video_id, frames)

    def finish(self, video_id: int, frames: int) -> None:
        """See :class:`~vis_pipeline.runs.progress.ProgressListener`."""
        self._listener.finish(video_id, frames)

    def fail(self, video_id: int, reason: str) -> None:
        """See :class:`~vis_pipeline.runs.progress.ProgressListener`."""
        self._listener.fail(video_id, reason)
