"""What every way to choose among re-detections has in common: one target's state, moved on frame by frame.

In each frame a target's object is re-detected (by the template of its first frame), and the target says which pairs of
a reference and a re-detection it wants scored (`needs`). The pairs of all targets of a frame, and of all videos, go
through the network together; with its scores the target is moved on (`advance`). Nothing is changed in place: a state
may be kept, copied, or, if its features can be, pickled.

What a feature is only the network knows: a state keeps the objects that it is given and hands them out as references.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.trackers.siam_rcnn.settings import FeatureT

ABSENT_SCORE = 0.0
"""A frame's score where the target is not present (section 3.3), unless a way to choose has its own."""


@dataclass(frozen=True)
class Redetections(Generic[FeatureT]):
    """The D re-detections of one target in one frame, in the re-detector's order.

    Attributes:
        boxes: float64 [D, 4], x1, y1, x2, y2 in pixels.
        scores: float64 [D], similarity to the first frame's box, in 0..1.
        features: one for each, D objects.

    Raises:
        ValueError: the fields disagree on D, or a number is not finite.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    features: Sequence[FeatureT]

    def __post_init__(self) -> None:
        count = len(self.scores)
        shapes = {"boxes": (self.boxes, (count, 4)), "scores": (self.scores, (count,))}
        for name, (value, shape) in shapes.items():
            if value.dtype != np.float64 or value.shape != shape:
                raise ValueError(f"Redetections.{name} is {value.dtype} {value.shape}, expected float64 {shape}")
            if not np.isfinite(value).all():
                raise ValueError(f"Redetections.{name} has a number that is not finite")
        if len(self.features) != count:
            raise ValueError(f"Redetections.features has {len(self.features)} entries, expected {count}")


@dataclass(frozen=True)
class Needs(Generic[FeatureT]):
    """Pairs to score.

    Attributes:
        references: features that re-detections are compared with.
        rows: int64 [K], the reference of each pair.
        detections: int64 [K], its re-detection.
    """

    references: tuple[FeatureT, ...]
    rows: NDArray[np.int64]
    detections: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def matrix(self, scores: NDArray[np.floating], count: int) -> NDArray[np.float64]:
        """The pairs' scores [K] as a matrix of references and `count` re-detections; -inf where none was asked for.

        Raises:
            ValueError: there are more or fewer scores than pairs, or one is not finite.
        """
        if scores.shape != self.rows.shape:
            raise ValueError(f"pair scores are {scores.shape}, expected {self.rows.shape}")
        if not np.isfinite(scores).all():
            raise ValueError("a pair's score is not finite")
        filled = np.full((len(self.references), count), -np.inf)
        filled[self.rows, self.detections] = scores
        return filled


@dataclass(frozen=True)
class Outcome:
    """What one frame shows of a target.

    Attributes:
        box: float64 [4], x1, y1, x2, y2 in pixels; where it is not present, where it was last. No view of the frame's
            boxes: who keeps it keeps nothing else.
        score: how sure it is; comparable between frames of one way to choose.
        detection: index of its re-detection in the frame; None where it is not present.
    """

    box: NDArray[np.float64]
    score: float
    detection: int | None

    @property
    def present(self) -> bool:
        """Whether the frame shows it."""
        return self.detection is not None


class Target(Protocol[FeatureT]):
    """One target, as far as its video has been seen."""

    def needs(self, boxes: NDArray[np.float64]) -> Needs[FeatureT]:
        """What to score for the next frame, whose re-detections have these boxes, float64 [D, 4]."""
        ...

    def advance(
        self, found: Redetections[FeatureT], needs: Needs[FeatureT], scores: NDArray[np.floating]
    ) -> "tuple[Target[FeatureT], Outcome]":
        """The target after the next frame, and what that shows; `scores` [K] answer `needs`, asked for these boxes."""
        ...
