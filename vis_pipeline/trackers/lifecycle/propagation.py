"""Propagation: where each live track's object is expected in the next frame.

The life cycle asks one of these for predictions: SiamMask (one stage or two, as its settings say), or, to show what
SiamMask is worth, :class:`~vis_pipeline.trackers.last_mask.NoPrediction`, which leaves the linking to the detections
themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from torch import Tensor

from vis_pipeline.trackers.memory import Questions

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
            return values.new_zeros((count, *values.shape[1:])).index_copy_(0, indices, values)

        return Propagated(among(self.masks), among(self.scores), among(self.boxes), among(self.located))


class Packing(Protocol[StateT]):
    """Brings the states of tracks into a checkpoint and back."""

    def pack(self, states: StateT) -> dict[str, Tensor]:
        """The states as tensors by name."""
        ...

    def unpack(self, tensors: Mapping[str, Tensor]) -> StateT:
        """The states of such tensors, which lie on the tracker's device."""
        ...


class Propagator(Packing[StateT], Protocol[StateT]):
    """Predicts masks from states that belong to the tracks.

    What networks do is asked for group by group, a group for each video, with an image uint8 [H, W, 3] BGR on the
    device; the sizes of the images may differ, groups may be empty, and no group's answer depends on the others.
    """

    def start(self, groups: Sequence[tuple[Tensor, Tensor]]) -> list[StateT]:
        """States of the tracks that are in the boxes, float64 [N, 4] x, y, w, h, of an image."""
        ...

    def predict(self, groups: Sequence[tuple[Tensor, StateT]]) -> list[Propagated]:
        """Where the objects are in an image."""
        ...

    def move(self, states: StateT, boxes: Tensor) -> StateT:
        """The same tracks at other boxes, float64 [N, 4] x, y, w, h."""
        ...

    def replace(self, states: StateT, indices: Tensor, others: StateT) -> StateT:
        """The same tracks, but those at `indices`, int64 [K], are the K others."""
        ...

    def select(self, states: StateT, indices: Tensor) -> StateT:
        """The states of some tracks."""
        ...

    def concatenate(self, states: Sequence[StateT]) -> StateT:
        """The states of several groups of tracks as one group."""
        ...


@dataclass(frozen=True)
class Changes:
    """What a decided frame changes for the propagator: which tracks go on, where they are, and what is new.

    Attributes:
        image: the frame, uint8 [H, W, 3] BGR on the device.
        kept: int64 [N], the tracks that go on, as indices into the states that the frame was searched with.
        boxes: float64 [N + B, 4], x, y, w, h, where they are, and then where the B tracks are that began in it.
        fresh: int64 [R + B], indices into the boxes: R tracks that are to look for what is in their boxes now, not for
            what they began with, and then those that began.
        born: B.
    """

    image: Tensor
    kept: Tensor
    boxes: Tensor
    fresh: Tensor
    born: int


@dataclass(frozen=True)
class Needs(Generic[StateT]):
    """What one video asks of the propagator in one frame.

    Attributes:
        image: the frame, uint8 [H, W, 3] BGR on the device.
        states: of the tracks that the last frame was searched with; None in the first one.
        changes: what the last frame changed; in the first one nothing, with no boxes.
        searched: int64 [S], the tracks to search for, among the N + B after those changes; None for all.
        questions: of the memory.
    """

    image: Tensor
    states: StateT | None
    changes: Changes
    searched: Tensor | None
    questions: Questions


@dataclass(frozen=True)
class Answer(Generic[StateT]):
    """What became of :class:`Needs`.

    Attributes:
        states: of the N + B tracks.
        found: predictions for those that were searched for.
        recognition: float32 [K], in 0..1, a score for each question of the memory.
    """

    states: StateT
    found: Propagated
    recognition: Tensor
