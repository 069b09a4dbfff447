"""Siam R-CNN for many objects at once: every object is looked for over the whole of every frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.structures.regions import RegionFeatures
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.structures.uploads import uploaded
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.siam_rcnn.asked import Answer, Needs
from vis_pipeline.trackers.siam_rcnn.box_to_mask import BoxesInFrame, BoxToMask, covered_by_confirmed, smallest_on_top
from vis_pipeline.trackers.siam_rcnn.decision import NONE, Absence, Choices, Decision, decide
from vis_pipeline.trackers.siam_rcnn.following import Comparer, Scene
from vis_pipeline.trackers.siam_rcnn.joining import Join, companies, continued, holders, same_objects, sighted
from vis_pipeline.trackers.siam_rcnn.living import Living
from vis_pipeline.trackers.siam_rcnn.looks import Appearance
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector
from vis_pipeline.trackers.siam_rcnn.session import SiamRcnnSession
from vis_pipeline.trackers.siam_rcnn.settings import RedetectionSettings, SelectionSettings, TargetSettings
from vis_pipeline.trackers.siam_rcnn.targets import Outcome, Redetections


@dataclass(frozen=True)
class _Decided:
    """A frame of one video, but for its masks."""

    living: tuple[Living, ...]
    outcomes: tuple[Outcome, ...]
    decision: Decision
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]
    joins: list[Join]

    def segmented(self) -> NDArray[np.float64]:
        """The boxes whose masks are wanted, [S + B, 4]."""
        chosen = np.array([outcome.box for outcome in self.outcomes]).reshape(-1, 4)
        return np.concatenate([chosen[self.decision.shown], self.boxes[self.decision.born]])


class SiamRcnnTracker:
    """Re-detects the targets of all sessions, and chooses, decides and segments.

    Args:
        network: the re-detector.
        box_to_mask: what makes masks of the chosen boxes.
        redetection: which re-detections are looked at, and how they are compared.
        selection: which of them is the target.
        targets: which targets there are.
        tracking: when they are born and reported.
        device: of the network.
    """

    def __init__(
        self,
        network: Redetector,
        box_to_mask: BoxToMask,
        redetection: RedetectionSettings,
        selection: SelectionSettings,
        targets: TargetSettings,
        tracking: TrackingSettings,
        device: torch.device,
    ) -> None:
        self._comparer = Comparer(network, redetection)
        self._box_to_mask = box_to_mask
        self._selection = selection
        self._targets = targets
        self._tracking = tracking
        self._device = device

    def open(self, stopwatch: Stopwatch) -> SiamRcnnSession:
        """Begin a video."""
        return SiamRcnnSession(self._selection, self._tracking, self._device, stopwatch)

    def answer(self, needs: Sequence[Needs]) -> list[Answer]:
        """Look for each video's targets by itself, all in one batch; then the masks of all videos together.

        In a batch with other videos' the last bits of the re-detector's scores would be others.

        Raises:
            RuntimeError: detections come without regions.
            ConfigError: they are of another detector than the re-detector is for, or it makes no masks of boxes.
        """
        decided = [self._decided(asked) for asked in needs]
        wanted = [
            BoxesInFrame(asked.image, regions_of(asked), self._on_device(each.segmented()).float())
            for asked, each in zip(needs, decided, strict=True)
        ]
        masks = self._box_to_mask.masks(wanted)
        return [self._answer(*parts) for parts in zip(decided, wanted, masks, strict=True)]

    def _answer(self, decided: _Decided, wanted: BoxesInFrame, masks: Tensor) -> Answer:
        confirmed = self._on_device(decided.decision.confirmed)
        # What no detection confirms may be a part of what one does, or what lies behind that.
        covered = covered_by_confirmed(masks, confirmed, self._tracking.belief.covered)
        decision = decided.decision.without(covered.cpu().numpy(), Absence.COVERED)
        layered = smallest_on_top(masks[~covered])
        empty = ~layered.flatten(1).any(dim=1)
        decision = decision.without(empty.cpu().numpy(), Absence.NO_MASK)
        born = decided.boxes[decision.born]
        templates = self._comparer.shown(Scene(wanted.image, wanted.regions), self._on_device(born).float())
        again = continued(decided.living, decided.joins, decision, born, templates, self._targets)
        return Answer(
            living=decided.living,
            outcomes=decided.outcomes,
            decision=decision,
            scores=decided.scores,
            labels=decided.labels,
            boxes=decided.boxes,
            masks=layered[~empty],
            templates=templates,
            joins=[*decided.joins, *again],
        )

    def _decided(self, asked: Needs) -> _Decided:
        living, detections, scene = asked.living, asked.detections, Scene(asked.image, regions_of(asked))
        templates, previous = [one.template for one in living], [one.previous for one in living]
        found = self._comparer.redetected(scene, templates, previous)
        targets, outcomes = self._comparer.moved_on([one.target for one in living], found)
        # One read-back; in float64, which keeps ids whole.
        columns = [detections.boxes, detections.scores[:, None], detections.labels[:, None]]
        table = torch.cat([column.double() for column in columns], dim=1).cpu().numpy()
        boxes, scores, labels = table[:, :4], table[:, 4], table[:, 5].astype(np.int64)
        choices = Choices(
            boxes=np.array([outcome.box for outcome in outcomes]).reshape(-1, 4),
            scores=np.array([outcome.score for outcome in outcomes], dtype=np.float64),
            here=np.array([_score_here(*pair) for pair in zip(outcomes, found, strict=True)], dtype=np.float64),
            present=np.array([outcome.present for outcome in outcomes], dtype=np.bool_),
            detections=np.array([one.detections for one in living], dtype=np.int64),
            undetected=np.array([one.undetected for one in living], dtype=np.int64),
        )
        seen_again = [(each.boxes, each.scores) for each in found]
        decision = decide(choices, boxes, scores, seen_again, self._targets, self._tracking)
        on = holders(choices.boxes, decision.absences)
        met = companies(living, decision.found, on, choices.here, self._targets.same_score)
        joins = same_objects(living, met, on, choices.here, decision, self._targets.same_frames)
        after = tuple(
            replace(one, target=target, previous=self._on_device(each.boxes).float(), company=company)
            for one, target, each, company in zip(living, targets, found, met, strict=True)
        )
        return _Decided(
            tuple(_sighted(*parts) for parts in zip(after, outcomes, found, decision.found, strict=True)),
            tuple(outcomes),
            decision,
            boxes,
            scores,
            labels,
            joins,
        )

    def _on_device(self, values: NDArray[Any]) -> Tensor:
        return uploaded(values, self._device)


def _score_here(outcome: Outcome, found: Redetections[Appearance]) -> float:
    """The score of what was chosen, in this frame alone; 0 where nothing was."""
    return 0.0 if outcome.detection is None else float(found.scores[outcome.detection])


def _sighted(one: Living, outcome: Outcome, found: Redetections[Appearance], detection: int) -> Living:
    """A target after a frame in which it may have been detected."""
    if detection == NONE or outcome.detection is None:
        return one
    return sighted(one, outcome.box, found.features[outcome.detection].looks)


def regions_of(asked: Needs) -> RegionFeatures:
    """The regions of the frame.

    Raises:
        RuntimeError: there are none.
    """
    if asked.detections.regions is None:
        raise RuntimeError("Siam R-CNN needs detections with regions; see TrackerChoice.needs_regions")
    return asked.detections.regions
