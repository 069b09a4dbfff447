"""First-frame and previous-frame scores with a strong spatial prior, as for benchmarks of short clips (section 4.1)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.trackers.siam_rcnn.settings import FeatureT, ShortTermSettings
from vis_pipeline.trackers.siam_rcnn.spatial import centred, location_costs
from vis_pipeline.trackers.siam_rcnn.targets import ABSENT_SCORE, Needs, Outcome, Redetections


@dataclass(frozen=True)
class ShortTermTarget(Generic[FeatureT]):
    """One target; made by :meth:`begin`.

    Attributes:
        settings: the prior, and what counts as present.
        size: float64 [2], width and height of the video's frames.
        box: float64 [4], x1, y1, x2, y2 of where it was last, in pixels.
        reference: feature of what was there.
    """

    settings: ShortTermSettings
    size: NDArray[np.float64]
    box: NDArray[np.float64]
    reference: FeatureT

    @classmethod
    def begin(
        cls, settings: ShortTermSettings, box: Sequence[float], feature: FeatureT, width: float, height: float
    ) -> "ShortTermTarget[FeatureT]":
        """A target that its video's first frame, of `width` x `height` pixels, shows in a box x1, y1, x2, y2."""
        size = np.array([width, height], dtype=np.float64)
        return cls(settings, size, np.array(box, dtype=np.float64), feature)

    def needs(self, boxes: NDArray[np.float64]) -> Needs[FeatureT]:
        """All re-detections, boxes float64 [D, 4], with what the target was last."""
        return Needs((self.reference,), np.zeros(len(boxes), dtype=np.int64), np.arange(len(boxes)))

    def advance(
        self, found: Redetections[FeatureT], needs: Needs[FeatureT], scores: NDArray[np.floating]
    ) -> "tuple[ShortTermTarget[FeatureT], Outcome]":
        """The target after the next frame, and what that shows: the best re-detection here, of equals the first.

        Args:
            found: the next frame's re-detections.
            needs: what was asked for their boxes.
            scores: [K], the pairs' similarities, in 0..1.

        Raises:
            ValueError: there are more or fewer scores than pairs, or one is not finite.
        """
        means = (found.scores + needs.matrix(scores, len(found.scores))[0]) / 2
        costs = location_costs(centred(found.boxes), centred(self.box[None])[0], self.size)
        if len(means):
            best = int((means - self.settings.location_weight * costs).argmax())
            if means[best] >= self.settings.present_score:
                moved = replace(self, box=found.boxes[best].copy(), reference=found.features[best])
                return moved, Outcome(moved.box, float(means[best]), best)
        return self, Outcome(self.box, ABSENT_SCORE, None)
