"""The best sequence of tracklets from the first frame's to each other one, online (section 3.3, equations 1 and 2).

The predecessors of a tracklet are those that ended before it started, so all of them are known, with totals that will
not change, when it starts. A tracklet that no sequence from the first frame reaches then is never reached, and never a
predecessor. What :class:`Ended` keeps is therefore bounded by the greatest gap, and a tracklet that goes on needs no
more than its :class:`Ladder`. By the triangle inequality of location costs much less is kept: a tracklet that ended
later, and whose total pays for the way to an earlier one, is at least as good a predecessor of all that comes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.trackers.siam_rcnn.settings import TdpaSettings
from vis_pipeline.trackers.siam_rcnn.spatial import location_costs

UNREACHED = -np.inf
# Sums that are rounded may break the inequality by less.
_SURELY = 1e-6


@dataclass(frozen=True)
class Ended:
    """The E tracklets that ended, are reached, and may still be the best predecessor, in the order of their ends.

    Attributes:
        ends: int64 [E], the frame after the last one.
        boxes: float64 [E, 4], the last box, centred, in pixels.
        totals: float64 [E], theta: the score of the best sequence up to and with the tracklet.
        latest_end: of all tracklets that ever ended, those that are not kept too; 0 where none has.
    """

    ends: NDArray[np.int64]
    boxes: NDArray[np.float64]
    totals: NDArray[np.float64]
    latest_end: int

    @classmethod
    def none(cls) -> "Ended":
        """None yet."""
        return cls(np.zeros(0, dtype=np.int64), np.zeros((0, 4)), np.zeros(0), 0)

    def with_more(
        self,
        end: int,
        boxes: NDArray[np.float64],
        totals: NDArray[np.float64],
        size: NDArray[np.float64],
        settings: TdpaSettings,
    ) -> "Ended":
        """With N tracklets that end now: centred boxes [N, 4] and totals [N]; `end` is after those of all others."""
        if not len(totals):
            return self
        reached = totals > UNREACHED
        boxes, totals = boxes[reached], totals[reached]
        old = self._selected(self.ends >= earliest_end(end, settings.max_gap))
        for box, total in zip(boxes, totals, strict=True):
            way = settings.location_weight * location_costs(old.boxes, box, size)
            old = old._selected(old.totals > total - way - _SURELY)
        return Ended(
            ends=np.concatenate([old.ends, np.full(len(totals), end, dtype=np.int64)]),
            boxes=np.concatenate([old.boxes, boxes]),
            totals=np.concatenate([old.totals, totals]),
            latest_end=end,
        )

    def _selected(self, kept: NDArray[np.bool_]) -> "Ended":
        return Ended(self.ends[kept], self.boxes[kept], self.totals[kept], self.latest_end)


@dataclass(frozen=True)
class Ladder:
    """What the best predecessors bring to a tracklet, those that no later one surpasses: M of them.

    Attributes:
        ends: int64 [M], rising: their ends.
        values: float64 [M], not rising with a later end: their totals less what the way from there costs.
    """

    ends: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def none(cls) -> "Ladder":
        """No predecessor."""
        return cls(np.zeros(0, dtype=np.int64), np.zeros(0))

    def best(self, earliest: int) -> float:
        """The most that a predecessor brings that ended no earlier than `earliest`; `UNREACHED` where there is none."""
        place = np.searchsorted(self.ends, earliest)
        return float(self.values[place]) if place < len(self.values) else UNREACHED


def earliest_end(latest_end: int, max_gap: int) -> int:
    """The earliest end that a predecessor may have where the latest end of any tracklet is `latest_end`."""
    return latest_end + 1 - max_gap


def ladder(ended: Ended, start_box: NDArray[np.float64], size: NDArray[np.float64], location_weight: float) -> Ladder:
    """The predecessors of a tracklet that starts now with a centred box [4], in images of width, height `size` [2]."""
    if not len(ended.totals):
        return Ladder.none()
    values = ended.totals - location_weight * location_costs(ended.boxes, start_box, size)
    later = np.append(np.maximum.accumulate(values[:0:-1])[::-1], UNREACHED)
    kept = values > later
    return Ladder(ended.ends[kept], values[kept])


def unary(
    first_frame: NDArray[np.float64], tracklet: NDArray[np.float64], first_frame_weight: float
) -> NDArray[np.float64]:
    """Equation 2 from the two scores, each summed over a tracklet's detections [N]; for single scores: their mean."""
    return first_frame_weight * first_frame + (1 - first_frame_weight) * tracklet
