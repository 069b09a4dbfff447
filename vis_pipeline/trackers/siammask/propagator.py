"""SiamMask as what the engine asks for predictions."""

from collections.abc import Sequence

from torch import Tensor

from vis_pipeline.trackers.base import Propagated
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor, TargetStates


class SiamMaskPropagator:
    """SiamMask for all tracks of a frame in one batch."""

    def __init__(self, tracker: SiamMaskPredictor) -> None:
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
