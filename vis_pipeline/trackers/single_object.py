"""One object that is followed from its box in the first frame: what comes of each frame."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle
from vis_pipeline.structures.frames import Frame

# An object's box is at most so many times as long as the frame's longer side.
_MOST_FRAMES = 4


@dataclass(frozen=True)
class ObjectInFrame:
    """Where the object is in one frame; pixels from the image's top-left corner.

    Attributes:
        frame: the frame.
        box: the state box x, y, w, h, float64 [4], neither rounded nor clipped.
        score: 1 in the first frame, then the tracking score.
        mask: its mask; None in the first frame, and where boxes are all that is reported.
        rotated_box: four corners x, y, float64 [4, 2]; the box's own where there is no mask.
    """

    frame: Frame
    box: NDArray[np.float64]
    score: float
    mask: Rle | None
    rotated_box: NDArray[np.float64]

    def to_json(self, name: str | int) -> dict[str, Any]:
        """As one entry of the result file, in which the frame is called `name`."""
        return {
            "frame": name,
            "box": self.box.tolist(),
            "score": self.score,
            "segmentation": self.mask,
            "rotated_box": self.rotated_box.tolist(),
        }


Follower: TypeAlias = Callable[[Iterable[Frame], NDArray[np.float64]], Iterator[ObjectInFrame]]
"""Follows one object: frames and its box x, y, w, h in the first of them, to where it is in each.

A frame is asked for only when what came of the one before has been taken. Several may be followed side by side.
"""


def require_overlap(frame: Frame, box: NDArray[np.float64]) -> None:
    """Raise DataError where a box x, y, w, h, float64 [4], lies outside a frame, or is far larger than it."""
    height, width = frame.image.shape[:2]
    x, y, w, h = box
    given = ",".join(f"{value:g}" for value in box)
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise DataError(f"box {given}: outside frame {frame.name}, which is {width}x{height}")
    # What is cut for the network grows with the box, beyond the frame as well.
    most = _MOST_FRAMES * max(width, height)
    if max(w, h) > most:
        raise DataError(f"box {given}: more than {_MOST_FRAMES} times as large as frame {frame.name}")
