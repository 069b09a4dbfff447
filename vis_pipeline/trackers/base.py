"""Propagation: where each live track's object is expected in the next frame.

The engine asks one of these for predictions: SiamMask (one stage or two, as its settings say), or, to show what
SiamMask is worth, :class:`NoPrediction`, which leaves the linking to the detections themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from torch import Tensor

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
