"""Frames that the caller has as arrays."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import Frame


@dataclass(frozen=True)
class ArrayFrames:
    """Frames from arrays uint8 [H, W, 3], BGR, of one size; they are copied, so that the caller may go on with them.

    Iterating raises DataError, naming the frame, for an array of another kind or size.
    """

    video_id: int
    arrays: Iterable[NDArray[np.uint8]]
    name: str = "arrays"

    @property
    def length(self) -> int | None:
        """None: the arrays may not know how many they are."""
        return None

    def __iter__(self) -> Iterator[Frame]:
        size = None
        for index, array in enumerate(self.arrays):
            frame = array_frame(self.video_id, index, array, size)
            size = (frame.image.shape[0], frame.image.shape[1])
            yield frame


def array_frame(
    video_id: int, index: int, array: NDArray[np.uint8], size: tuple[int, int] | None, time: float | None = None
) -> Frame:
    """A copy of an array uint8 [H, W, 3], BGR, as a frame; `size` is the height and width that it must have.

    Raises:
        DataError: it is of another kind or size.
    """
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        given = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise DataError(f"frame {index}: is {given}, expected a NumPy array uint8 (height, width, 3), BGR")
    if 0 in array.shape:
        raise DataError(f"frame {index}: is empty, {array.shape}")
    if size is not None and array.shape[:2] != size:
        height, width = array.shape[:2]
        raise DataError(f"frame {index}: is {width}x{height}, expected {size[1]}x{size[0]} like the ones before")
    return Frame(video_id, index, str(index), np.array(array, order="C"), time)
