"""SiamMask as what the life cycle asks for predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from torch import Tensor

from vis_pipeline.trackers.lifecycle.propagation import Propagated
from vis_pipeline.trackers.siammask.predictor import Prediction, SiamMaskPredictor, TargetStates


class SiamMaskPropagator:
    """SiamMask for all tracks of all videos in one batch."""

    def __init__(self, predictor: SiamMaskPredictor) -> None:
        self._predictor = predictor

    def start(self, groups: Sequence[tuple[Tensor, Tensor]]) -> list[TargetStates]:
        """Cut the templates."""
        return self._predictor.initialise_each(groups)

    def predict(self, groups: Sequence[tuple[Tensor, TargetStates]]) -> list[Propagated]:
        """One SiamMask step."""
        return [_propagated(found) for found in self._predictor.predict_each(groups)]

    def move(self, states: TargetStates, boxes: Tensor) -> TargetStates:
        """The boxes move; a side below 10 becomes 10."""
        return states.with_boxes(boxes)

    def replace(self, states: TargetStates, indices: Tensor, others: TargetStates) -> TargetStates:
        """Other templates, boxes and colours for some of the tracks."""
        return states.replaced(indices, others)

    def select(self, states: TargetStates, indices: Tensor) -> TargetStates:
        """The states of some tracks."""
        return states.select(indices)

    def concatenate(self, states: Sequence[TargetStates]) -> TargetStates:
        """The states of several groups of tracks as one group."""
        return TargetStates.concatenate(states)

    def pack(self, states: TargetStates) -> dict[str, Tensor]:
        """The states' fields."""
        return {field.name: getattr(states, field.name) for field in fields(states)}

    def unpack(self, tensors: Mapping[str, Tensor]) -> TargetStates:
        """The states of such fields."""
        return TargetStates(**tensors)


def _propagated(found: Prediction) -> Propagated:
    assert found.masks is not None, "the life cycle is given weights that make masks"
    return Propagated(found.masks, found.scores, found.boxes, found.located_boxes)
