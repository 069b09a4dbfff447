"""Tracking one object from its box in the first frame: SiamMask's own task."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from vis_pipeline import masks
from vis_pipeline.settings.config import STRICT
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.siammask.predictor import Prediction, SiamMaskPredictor
from vis_pipeline.trackers.siammask.rotated_box import corners, rotated_box
from vis_pipeline.trackers.single_object import ObjectInFrame, require_overlap


class Finder(Protocol):
    """Knows an object by what it looked like, wherever it is."""

    def remember(self, frame: Frame, box: NDArray[np.float64]) -> None:
        """What the object looks like: a frame, and its box in it, x, y, w, h, float64 [4]."""
        ...

    def find(self, frame: Frame) -> NDArray[np.float64] | None:
        """Where it is in a frame, x, y, w, h, float64 [4]; None where that is not sure."""
        ...


@dataclass(frozen=True, config=STRICT)
class LossSettings:
    """When SiamMask has lost its object.

    Attributes:
        lost_score: below this tracking score an object may be lost; one that is found again must reach it.
        lost_frames: it is, after so many such frames in a row.
        sure_score: from this score on, a frame shows what the object looks like.
        remember_every: frames between two that are remembered.
    """

    lost_score: float = Field(default=0.5, ge=0, le=1)
    lost_frames: int = Field(default=2, ge=1)
    sure_score: float = Field(default=0.9, ge=0, le=1)
    remember_every: int = Field(default=10, ge=1)


class NoFinder:
    """Finds nothing: what is lost stays lost."""

    def remember(self, frame: Frame, box: NDArray[np.float64]) -> None:
        """Nothing."""

    def find(self, frame: Frame) -> NDArray[np.float64] | None:
        """Nowhere."""
        return None


def track_object(
    tracker: SiamMaskPredictor,
    frames: Iterable[Frame],
    box: NDArray[np.float64],
    finder: Finder,
    settings: LossSettings,
) -> Iterator[ObjectInFrame]:
    """Follow the object that is at `box` (x, y, w, h, float64 [4]) in the first frame, through all frames.

    When it is lost it is looked for by `finder`, and goes on where it was found: there SiamMask looks again in the same
    frame, with the template of the first one. Where its score is no better than that of a lost object, nothing was
    found.

    Raises:
        DataError: the box lies outside the first frame.
    """
    sequence = iter(frames)
    first = next(sequence)
    require_overlap(first, box)
    states = tracker.initialise(torch.from_numpy(first.image), torch.from_numpy(box[None]))
    finder.remember(first, box)
    yield ObjectInFrame(first, box, 1.0, None, corners(box))
    doubtful = since = 0
    for frame in sequence:
        image = torch.from_numpy(frame.image)
        prediction = tracker.predict(image, states)
        since += 1
        doubtful = doubtful + 1 if float(prediction.scores[0]) < settings.lost_score else 0
        if doubtful >= settings.lost_frames and (found := finder.find(frame)) is not None:
            again = tracker.predict(image, states.with_boxes(torch.from_numpy(found[None])))
            if float(again.scores[0]) >= settings.lost_score:
                prediction, doubtful = again, 0
        states = prediction.states
        if float(prediction.scores[0]) >= settings.sure_score and since >= settings.remember_every:
            finder.remember(frame, prediction.located_boxes[0].cpu().numpy())
            since = 0
        yield _shown(frame, prediction)


def _shown(frame: Frame, prediction: Prediction) -> ObjectInFrame:
    found, score = prediction.boxes[0].cpu().numpy(), float(prediction.scores[0])
    if prediction.masks is None:
        return ObjectInFrame(frame, found, score, None, corners(found))
    mask = prediction.masks[0].cpu().numpy()
    return ObjectInFrame(frame, found, score, masks.encode(mask[None])[0], rotated_box(mask, found))
