"""Propagation: where each live track's object is expected in the next frame.

The engine asks one of these for predictions: SiamMask (one stage or two, as its settings say), or, to show what
SiamMask is worth, :class:`LastMask`, which leaves every mask where it was and so links detections by IoU alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from vis_pipeline.siammask.tracker import SiamMaskTracker, TargetStates

StateT = TypeVar("StateT")


@dataclass(frozen=True)
class Propagated:
    """Predictions for N tracks: masks bool [N, H, W], scores float32 [N] in 0..1, boxes float64 [N, 4] x, y, w, h."""

    masks: Tensor
    scores: Tensor
    boxes: Tensor


class Propagator(Protocol[StateT]):
    """Predicts masks from states that belong to the tracks; `image` is uint8 [H, W, 3] BGR on the device."""

    def start(self, image: Tensor, boxes: Tensor, masks: Tensor) -> StateT:
        """States of new tracks, from boxes float64 [N, 4] x, y, w, h and masks bool [N, H, W]."""
        ...

    def predict(self, image: Tensor, states: StateT) -> Propagated:
        """Where the objects are in this image."""
        ...

    def advance(self, states: StateT, boxes: Tensor, masks: Tensor) -> StateT:
        """The states for the next frame, once it is decided what each track's box and mask are in this one."""
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

    def start(self, image: Tensor, boxes: Tensor, masks: Tensor) -> TargetStates:
        """Cut the templates; the masks give the boxes and are not needed themselves."""
        return self._tracker.initialise(image, boxes)

    def predict(self, image: Tensor, states: TargetStates) -> Propagated:
        """One SiamMask step."""
        prediction = self._tracker.predict(image, states)
        return Propagated(prediction.masks, prediction.scores, prediction.boxes)

    def advance(self, states: TargetStates, boxes: Tensor, masks: Tensor) -> TargetStates:
        """The template stays from birth; only the box moves."""
        return states.with_boxes(boxes)

    def select(self, states: TargetStates, indices: Tensor) -> TargetStates:
        """The states of some tracks."""
        return states.select(indices)

    def concatenate(self, states: Sequence[TargetStates]) -> TargetStates:
        """The states of several groups of tracks as one group."""
        return TargetStates.concatenate(states)


class LastMask:
    """No propagation: the state of a track is its last mask, bool [N, H, W], and that is the prediction.

    The score is 0: without a detection nothing says that the object is still there.
    """

    def start(self, image: Tensor, boxes: Tensor, masks: Tensor) -> Tensor:
        """The masks themselves."""
        return masks

    def predict(self, image: Tensor, states: Tensor) -> Propagated:
        """The masks of the frame before."""
        scores = torch.zeros(len(states), device=states.device)
        return Propagated(states, scores, torch.zeros((len(states), 4), dtype=torch.float64, device=states.device))

    def advance(self, states: Tensor, boxes: Tensor, masks: Tensor) -> Tensor:
        """The masks of this frame."""
        return masks

    def select(self, states: Tensor, indices: Tensor) -> Tensor:
        """The masks of some tracks."""
        return states[indices]

    def concatenate(self, states: Sequence[Tensor]) -> Tensor:
        """The masks of several groups of tracks as one group."""
        return torch.cat(list(states))
