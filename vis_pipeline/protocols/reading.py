"""The frames of a sequence, all of them or an error, and the time that their reading takes."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from vis_pipeline.data.frames import ImageFrames, prefetched
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import BadFrame, Frame


def whole_frames(name: str, paths: Sequence[Path], size: tuple[int, int] | None = None) -> Iterator[Frame]:
    """The frames of a sequence, read ahead.

    `size` is (height, width) in pixels; None takes the first frame's.

    Raises:
        DataError: one is missing, damaged or of another size.
    """
    for footage in prefetched(ImageFrames(1, name, paths, size, on_bad_frame="skip")):
        if isinstance(footage, BadFrame):
            raise DataError(f"frame {footage.name}: {footage.reason}")
        if isinstance(footage, Frame):
            yield footage


class Reading:
    """Frames, and the `seconds` that were waited for them."""

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames
        self.seconds = 0.0

    def __iter__(self) -> "Reading":
        return self

    def __next__(self) -> Frame:
        begun = time.perf_counter()
        try:
            return next(self._frames)
        finally:
            self.seconds += time.perf_counter() - begun
