"""Propagation: where each live track's object is expected in the next frame.

The engine asks one of these for predictions: SiamMask (one stage or two, as its settings say), or, to show what
SiamMask is worth, :class:`NoPrediction`, which leaves the linking to the detections themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from vis_pipeline.trackers.siammask.tracker import SiamMaskTracker, TargetStates

StateT = TypeVar("StateT")


@dataclass(frozen=True)
class Propagated:
    """Predictions for N tracks.

    Attributes:
        masks: bool [N, H, W].
        scores: float32 [N], in 0..1.
        boxes: float64 [N, 4], x, y, w, h, where the next frame's search begins if nothing corrects it.
        located: float64 [N, 4], x, y, w, h, where the object was located, apart from its mask.
    """

    masks: Tensor
    scores: Tensor
    boxes: Tensor
    located: Tensor

    def spread(self, indices: Tensor, count: int) -> "Propagated":
        """The same predictions at `indices`, int64 [N], among `count` tracks; the others' are empty, of score 0."""

        def among(values: Tensor) -> Tensor:
            return values.new_zeros((count, *values.shape[1:])).index_copy(0, indices, values)

        return Propagated(among(self.masks), among(self.scores), among(self.boxes), among(self.located))


class Propagator(Protocol[StateT]):
    """Predicts masks from states that belong to the tracks; `image` is uint8 [H, W, 3] BGR on the device."""

    def start(self, image: Tensor, boxes: Tensor) -> StateT:
        """States of new tracks, from boxes float64 [N, 4] x, y, w, h; N may be 0."""
        ...

    def predict(self, image: Tensor, states: StateT) -> Propagated:
        """Where the objects are in this image."""
        ...

    def advance(self, image: Tensor, states: StateT, boxes: Tensor, renewed: Tensor) -> StateT:
        """The states for the next frame, once it is decided where each track's box is in this one.

        The tracks `renewed`, int64 [K], are to look for what is in their boxes now, not for what they began with.
        """
        ...

    def select(self, states: StateT, indices: Tensor) -> StateT:
        """The states of some tracks."""
        ...

    def concatenate(self, states: Sequence[StateT]) -> StateT:
        """The states of several groups of tracks as one group."""
        ...


class SiamMaskPropagator:
    """SiamMask for all tracks of a frame in one batch."""

    def __init__(self, tracker: SiamMaskTracker) -> None:
        self._tracker = tracker

    def start(self, image: Tensor, boxes: Tensor) -> TargetStates:
        """Cut the templates."""
        return self._tracker.initialise(image, boxes)

    def predict(self, image: Tensor, states: TargetStates) -> Propagated:
        """One SiamMask step."""
        prediction = self._tracker.predict(image, states)
        return Propagated(prediction.masks, prediction.scores, prediction.boxes, prediction.located_boxes)

    def advance(self, image: Tensor, states: TargetStates, boxes: Tensor, renewed: Tensor) -> TargetStates:
        """The boxes move; the templates of those renewed are cut anew."""
        if len(renewed):
            states = states.replaced(renewed, self._tracker.initialise(image, boxes[renewed]))
        return states.with_boxes(boxes)

    def select(self, states: TargetStates, indices: Tensor) -> TargetStates:
        """The states of some tracks."""
        return states.select(indices)

    def concatenate(self, states: Sequence[TargetStates]) -> TargetStates:
        """The states of several groups of tracks as one group."""
        return TargetStates.concatenate(states)


class NoPrediction:
    """No propagation: nothing is predicted, so that detections are linked by those before them alone.

    The state of a group of tracks is their number.
    """

    def start(self, image: Tensor, boxes: Tensor) -> int:
        """The number of tracks."""
        return len(boxes)

    def predict(self, image: Tensor, states: int) -> Propagated:
        """Empty masks of score 0."""
        boxes = torch.zeros((states, 4), dtype=torch.float64, device=image.device)
        masks = torch.zeros((states, *image.shape[:2]), dtype=torch.bool, device=image.device)
        return Propagated(masks, torch.zeros(states, device=image.device), boxes, boxes)

    def advance(self, image: Tensor, states: int, boxes: Tensor, renewed: Tensor) -> int:
        """The number of tracks."""
        return states

    def select(self, states: int, indices: Tensor) -> int:
        """The number of some tracks."""
        return len(indices)

    def concatenate(self, states: Sequence[int]) -> int:
        """The number of all tracks."""
        return sum(states)
