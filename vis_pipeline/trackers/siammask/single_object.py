"""Tracking one object from its box in the first frame: SiamMask's own task."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.rotated_box import corners, rotated_box
from vis_pipeline.trackers.single_object import ObjectInFrame, require_overlap


def track_object(
    tracker: SiamMaskPredictor, frames: Iterable[Frame], box: NDArray[np.float64]
) -> Iterator[ObjectInFrame]:
    """Follow the object that is at `box` (x, y, w, h, float64 [4]) in the first frame, through all frames.

    Raises:
        DataError: the box lies outside the first frame.
    """
    sequence = iter(frames)
    first = next(sequence)
    require_overlap(first, box)
    states = tracker.initialise(torch.from_numpy(first.image), torch.from_numpy(box[None]))
    yield ObjectInFrame(first, box, 1.0, None, corners(box))
    for frame in sequence:
        prediction = tracker.predict(torch.from_numpy(frame.image), states)
        states = prediction.states
        found = prediction.boxes[0].cpu().numpy()
        mask = prediction.masks[0].cpu().numpy()
        score = float(prediction.scores[0])
        yield ObjectInFrame(frame, found, score, masks.encode(mask[None])[0], rotated_box(mask, found))
