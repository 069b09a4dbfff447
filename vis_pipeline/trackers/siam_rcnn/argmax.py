"""The best first-frame score of each frame: what tracklets are compared with (section 4.4, "Argmax")."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.trackers.siam_rcnn.settings import ArgmaxSettings, FeatureT
from vis_pipeline.trackers.siam_rcnn.targets import ABSENT_SCORE, Needs, Outcome, Redetections


@dataclass(frozen=True)
class ArgmaxTarget(Generic[FeatureT]):
    """One target; made by :meth:`begin`.

    Attributes:
        settings: what counts as present.
        box: float64 [4], x1, y1, x2, y2 of where it was last, in pixels.
    """

    settings: ArgmaxSettings
    box: NDArray[np.float64]

    @classmethod
    def begin(
        cls, settings: ArgmaxSettings, box: Sequence[float], feature: FeatureT, width: float, height: float
    ) -> "ArgmaxTarget[FeatureT]":
        """A target that its video's first frame shows in a box x1, y1, x2, y2; the rest is not asked for."""
        return cls(settings, np.array(box, dtype=np.float64))

    def needs(self, boxes: NDArray[np.float64]) -> Needs[FeatureT]:
        """Nothing."""
        return Needs((), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))

    def advance(
        self, found: Redetections[FeatureT], needs: Needs[FeatureT], scores: NDArray[np.floating]
    ) -> "tuple[ArgmaxTarget[FeatureT], Outcome]":
        """The target after the next frame, and what that shows: the best scored re-detection, of equals the first.

        Raises:
            ValueError: there are scores of pairs.
        """
        needs.matrix(scores, len(found.scores))
        if not len(found.scores) or found.scores.max() < self.settings.present_score:
            return self, Outcome(self.box, ABSENT_SCORE, None)
        best = int(found.scores.argmax())
        box = found.boxes[best].copy()
        return replace(self, box=box), Outcome(box, float(found.scores[best]), best)
