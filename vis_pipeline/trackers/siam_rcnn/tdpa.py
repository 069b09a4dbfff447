"""The Tracklet Dynamic Programming Algorithm for one target (section 3.3): tracklets, their totals, and the choice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.trackers.siam_rcnn.dynamic_programming import (
    UNREACHED,
    Ended,
    Ladder,
    earliest_end,
    ladder,
    unary,
)
from vis_pipeline.trackers.siam_rcnn.settings import FeatureT, TdpaSettings
from vis_pipeline.trackers.siam_rcnn.spatial import centred, spatial_distances
from vis_pipeline.trackers.siam_rcnn.targets import Needs, Outcome, Redetections
from vis_pipeline.trackers.siam_rcnn.tracklets import NONE, joined_tracklets

_FIRST = 0


@dataclass(frozen=True)
class Active:
    """The tracklets that reach the last frame: one for each of its P re-detections, in their order.

    Attributes:
        numbers: int64 [P], the order in which tracklets began; the first frame's is 0.
        boxes: float64 [P, 4], x1, y1, x2, y2 of the last detection, in pixels.
        last: float64 [P], its first-frame score.
        sums: float64 [2, P], first-frame and first-frame-tracklet scores, summed over the tracklet.
        bests: float64 [2, P], the best of each.
        totals: float64 [P], theta.
        ladders: what the predecessors of each bring.
    """

    numbers: NDArray[np.int64]
    boxes: NDArray[np.float64]
    last: NDArray[np.float64]
    sums: NDArray[np.float64]
    bests: NDArray[np.float64]
    totals: NDArray[np.float64]
    ladders: tuple[Ladder, ...]


@dataclass(frozen=True)
class BestEnded:
    """The best of all tracklets that ended, however long ago: what is chosen while none that goes on is better.

    Attributes:
        total: theta; `UNREACHED` while none has ended that is reached.
        number: of the tracklet.
        box: float64 [4], its last box, x1, y1, x2, y2 in pixels.
        last: the first-frame score of its last detection.
    """

    total: float
    number: int
    box: NDArray[np.float64]
    last: float


@dataclass(frozen=True)
class TdpaTarget(Generic[FeatureT]):
    """One target; made by :meth:`begin`.

    What it keeps does not grow with the video beyond what `max_gap` frames can hold.

    Attributes:
        settings: the constants.
        size: float64 [2], width and height of the video's frames.
        frame: index of the last frame, from 0.
        tracklets: how many there have been so far, with that of the first frame.
        references: features of the last frame's re-detections.
        first_reference: feature of the first-frame tracklet's latest detection.
        active: the tracklets that reach the last frame.
        ended: those that may be predecessors of others to come.
        best_ended: the best of all that ended.
    """

    settings: TdpaSettings
    size: NDArray[np.float64]
    frame: int
    tracklets: int
    references: tuple[FeatureT, ...]
    first_reference: FeatureT
    active: Active
    ended: Ended
    best_ended: BestEnded

    @classmethod
    def begin(
        cls, settings: TdpaSettings, box: Sequence[float], feature: FeatureT, width: float, height: float
    ) -> "TdpaTarget[FeatureT]":
        """A target that its video's first frame, of `width` x `height` pixels, shows in a box x1, y1, x2, y2."""
        first = Active(
            numbers=np.array([_FIRST]),
            boxes=np.array([box], dtype=np.float64),
            last=np.ones(1),
            sums=np.ones((2, 1)),
            bests=np.ones((2, 1)),
            # Every sequence begins with this tracklet, so what it is worth itself decides nothing.
            totals=np.zeros(1),
            ladders=(Ladder.none(),),
        )
        size = np.array([width, height], dtype=np.float64)
        nothing = BestEnded(UNREACHED, NONE, first.boxes[0], 0.0)
        return cls(settings, size, 0, 1, (feature,), feature, first, Ended.none(), nothing)

    def needs(self, boxes: NDArray[np.float64]) -> Needs[FeatureT]:
        """Each re-detection with those near it in the frame before, and all with the first-frame tracklet's latest.

        Args:
            boxes: float64 [D, 4], x1, y1, x2, y2 of the next frame's re-detections, in pixels.
        """
        wanted = self._near(boxes)
        references, first = self.references, self._first_row()
        if first == len(references):
            references = (*references, self.first_reference)
            wanted = np.concatenate([wanted, np.ones((1, len(boxes)), dtype=bool)])
        wanted[first] = True
        rows, detections = wanted.nonzero()
        return Needs(references, rows, detections)

    def advance(
        self, found: Redetections[FeatureT], needs: Needs[FeatureT], scores: NDArray[np.floating]
    ) -> "tuple[TdpaTarget[FeatureT], Outcome]":
        """The target after the next frame, and what that shows.

        Args:
            found: the next frame's re-detections.
            needs: what was asked for their boxes.
            scores: [K], the pairs' similarities, in 0..1.

        Raises:
            ValueError: there are more or fewer scores than pairs, or one is not finite.
        """
        answer = needs.matrix(scores, len(found.scores))
        similarity = np.where(self._near(found.boxes), answer[: len(self.references)], -np.inf)
        joined = joined_tracklets(similarity, self.settings.join_score, self.settings.margin)
        # A tracklet's end is the frame after its last one: of those that nothing joins, this frame.
        over = np.setdiff1d(np.arange(len(self.references)), joined)
        ended = self.ended.with_more(
            self.frame + 1, centred(self.active.boxes[over]), self.active.totals[over], self.size, self.settings
        )
        gains = np.stack([found.scores, answer[self._first_row()]])
        active = self._extended(joined, found.boxes, gains, ended)
        moved = replace(
            self,
            frame=self.frame + 1,
            tracklets=self.tracklets + int(np.count_nonzero(joined == NONE)),
            references=tuple(found.features),
            first_reference=self._latest_of_the_first(active, found.features),
            active=active,
            ended=ended,
            best_ended=self._best_ended(over),
        )
        return moved, moved._choice()

    def _near(self, boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether pairs are compared, bool [P, D], of the last frame's re-detections and `boxes` [D, 4]."""
        distances = spatial_distances(centred(self.active.boxes), centred(boxes), self.size)
        return np.asarray(distances < self.settings.max_distance)

    def _first_row(self) -> int:
        """The row of the first-frame tracklet's latest detection among the references."""
        rows = np.flatnonzero(self.active.numbers == _FIRST)
        return int(rows[0]) if len(rows) else len(self.references)

    def _latest_of_the_first(self, active: Active, features: Sequence[FeatureT]) -> FeatureT:
        rows = np.flatnonzero(active.numbers == _FIRST)
        return features[int(rows[0])] if len(rows) else self.first_reference

    def _extended(
        self, joined: NDArray[np.int64], boxes: NDArray[np.float64], gains: NDArray[np.float64], ended: Ended
    ) -> Active:
        """The tracklets of the next frame, from the tracklet that each detection joins, [D], and its scores, [2, D]."""
        old, new = self.active, joined == NONE
        # A new tracklet takes row -1 of what is laid behind the old ones.
        numbers = np.append(old.numbers, NONE)[joined]
        numbers[new] = self.tracklets + np.arange(np.count_nonzero(new))
        sums = np.concatenate([old.sums, np.zeros((2, 1))], axis=1)[:, joined] + gains
        bests = np.maximum(np.concatenate([old.bests, np.full((2, 1), -np.inf)], axis=1)[:, joined], gains)
        starts = centred(boxes)
        ladders = tuple(
            ladder(ended, starts[place], self.size, self.settings.location_weight) if row == NONE else old.ladders[row]
            for place, row in enumerate(joined.tolist())
        )
        earliest = earliest_end(ended.latest_end, self.settings.max_gap)
        brought = np.array([steps.best(earliest) for steps in ladders])
        # One whose predecessors all lie too far back by now keeps the total that it had, as the first frame's does.
        totals = np.where(
            brought > UNREACHED,
            brought + unary(sums[0], sums[1], self.settings.first_frame_weight),
            np.append(old.totals, UNREACHED)[joined],
        )
        return Active(numbers, boxes, gains[0], sums, bests, totals, ladders)

    def _best_ended(self, over: NDArray[np.int64]) -> BestEnded:
        """The best tracklet that ended, now that those in rows `over` have; of equals the one that began first."""
        old = self.active
        newly = [
            BestEnded(float(old.totals[row]), int(old.numbers[row]), old.boxes[row].copy(), float(old.last[row]))
            for row in over
            if old.totals[row] > UNREACHED
        ]
        return min([self.best_ended, *newly], key=lambda tracklet: (-tracklet.total, tracklet.number))

    def _choice(self) -> Outcome:
        """The tracklet with the best total, of equals the one that began first, and what it has in the last frame."""
        active, best, settings = self.active, self.best_ended, self.settings
        if len(active.numbers):
            row = int(np.lexsort((active.numbers, -active.totals))[0])
            if (-active.totals[row], active.numbers[row]) < (-best.total, best.number):
                first_frame, tracklet = active.bests[:, row]
                score = unary(first_frame, tracklet, settings.first_frame_weight)
                return Outcome(active.boxes[row].copy(), float(score + settings.rank_weight * active.last[row]), row)
        return Outcome(best.box, settings.absent_score + settings.rank_weight * best.last, None)
