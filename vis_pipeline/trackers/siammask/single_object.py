"""Tracking one object from its box in the first frame: SiamMask's own task."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.rotated_box import corners, rotated_box

# An object's box is at most so many times as long as the frame's longer side.
_MOST_FRAMES = 4


@dataclass(frozen=True)
class ObjectInFrame:
    """Where the object is in one frame; pixels from the image's top-left corner.

    Attributes:
        frame: the frame.
        box: the state box x, y, w, h, float64 [4], neither rounded nor clipped.
        score: 1 in the first frame, then the tracking score.
        mask: its mask, none in the first frame.
        rotated_box: four corners x, y, float64 [4, 2].
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


def track_object(
    tracker: SiamMaskPredictor, frames: Iterable[Frame], box: NDArray[np.float64]
) -> Iterator[ObjectInFrame]:
    """Follow the object that is at `box` (x, y, w, h, float64 [4]) in the first frame, through all frames.

    Raises:
        DataError: the box lies outside the first frame.
    """
    sequence = iter(frames)
    first = next(sequence)
    _require_overlap(first, box)
    states = tracker.initialise(torch.from_numpy(first.image), torch.from_numpy(box[None]))
    yield ObjectInFrame(first, box, 1.0, None, corners(box))
    for frame in sequence:
        prediction = tracker.predict(torch.from_numpy(frame.image), states)
        states = prediction.states
        found = prediction.boxes[0].cpu().numpy()
        mask = prediction.masks[0].cpu().numpy()
        score = float(prediction.scores[0])
        yield ObjectInFrame(frame, found, score, masks.encode(mask[None])[0], rotated_box(mask, found))


def _require_overlap(frame: Frame, box: NDArray[np.float64]) -> None:
    height, width = frame.image.shape[:2]
    x, y, w, h = box
    given = ",".join(f"{value:g}" for value in box)
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise DataError(f"--init {given}: outside frame {frame.name}, which is {width}x{height}")
    # What is cut for the network grows with the box, beyond the frame as well.
    most = _MOST_FRAMES * max(width, height)
    if max(w, h) > most:
        raise DataError(f"--init {given}: more than {_MOST_FRAMES} times as large as frame {frame.name}")
