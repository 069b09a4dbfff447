"""Targets moved on by a frame: re-detected, compared, chosen. All targets of a frame share the network's batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.structures.regions import RegionFeatures
from vis_pipeline.trackers.siam_rcnn.looks import Appearance, likeness
from vis_pipeline.trackers.siam_rcnn.redetection import pair_scores, redetect
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector
from vis_pipeline.trackers.siam_rcnn.settings import RedetectionSettings
from vis_pipeline.trackers.siam_rcnn.targets import Needs, Outcome, Redetections, Target


@dataclass(frozen=True)
class Scene:
    """A frame that is looked through; everything on one device.

    Attributes:
        image: uint8 [H, W, 3], BGR.
        regions: of the frame.
    """

    image: Tensor
    regions: RegionFeatures


class Comparer:
    """Says how alike two boxes are: by the network's score times the likeness of their looks.

    Args:
        network: in evaluation mode.
        settings: which re-detections are kept, and what boxes look like.
    """

    def __init__(self, network: Redetector, settings: RedetectionSettings) -> None:
        self._network = network
        self._settings = settings
        self._looks = settings.looks.build()

    @torch.inference_mode()
    def shown(self, scene: Scene, boxes: Tensor) -> list[Appearance]:
        """What K boxes of a frame show, float32 [K, 4] (x1, y1, x2, y2)."""
        return _one_by_one(scene.regions.align(boxes), self._looks.of(scene.image, boxes))

    @torch.inference_mode()
    def redetected(
        self, scene: Scene, templates: Sequence[Appearance], previous: Sequence[Tensor]
    ) -> list[Redetections[Appearance]]:
        """The re-detections of N targets in a frame, the best first.

        Args:
            scene: the frame.
            templates: of each target.
            previous: float32 [P, 4] of each, boxes to look at beside the proposals.

        Raises:
            ConfigError: the network is of a detector with another number of channels.
        """
        if not templates:
            return []
        known = torch.stack([template.features for template in templates])
        wanted = torch.stack([template.looks for template in templates])
        found = redetect(self._network, known, scene.regions, previous, self._settings, self._likely(scene, wanted))
        boxes, network_scores = torch.cat([each.boxes for each in found]), torch.cat([each.scores for each in found])
        features, looks = scene.regions.align(boxes), self._looks.of(scene.image, boxes)
        counts = [len(each) for each in found]
        owners = torch.from_numpy(np.repeat(np.arange(len(counts)), counts)).to(boxes.device)
        scores = network_scores * likeness(wanted[owners], looks)
        ranked = [rows[_ranking(scores[rows], self._settings.min_score)] for rows in _of_each(counts, boxes.device)]
        table = torch.cat([boxes, scores[:, None]], dim=1).double().cpu().numpy()
        return [
            Redetections(
                np.ascontiguousarray(table[rows.cpu().numpy(), :4]),
                np.ascontiguousarray(table[rows.cpu().numpy(), 4]),
                _one_by_one(features[rows], looks[rows]),
            )
            for rows in ranked
        ]

    def moved_on(
        self, targets: Sequence[Target[Appearance]], found: Sequence[Redetections[Appearance]]
    ) -> tuple[list[Target[Appearance]], list[Outcome]]:
        """N targets after a frame with these re-detections, and what it shows of each."""
        needs = [target.needs(each.boxes) for target, each in zip(targets, found, strict=True)]
        scores = self._scored(needs, found)
        moved: list[Target[Appearance]] = []
        outcomes: list[Outcome] = []
        for target, each, asked, own in zip(targets, found, needs, scores, strict=True):
            after, outcome = target.advance(each, asked, own)
            moved.append(after)
            outcomes.append(outcome)
        return moved, outcomes

    def _likely(self, scene: Scene, wanted: Tensor) -> Tensor:
        """Which of P proposals look like which of N targets, bool [N, P]: of the others none can score enough."""
        proposals = scene.regions.proposals[: self._settings.proposals]
        looks = self._looks.of(scene.image, proposals)
        return wanted @ looks.T >= self._settings.min_likeness

    @torch.inference_mode()
    def _scored(
        self, needs: Sequence[Needs[Appearance]], found: Sequence[Redetections[Appearance]]
    ) -> list[NDArray[np.float64]]:
        """The pair scores that each target needs, float64 [K]."""
        counts = [len(asked) for asked in needs]
        if not sum(counts):
            return [np.zeros(0) for _ in needs]
        references = [reference for asked in needs for reference in asked.references]
        shown = [one for each in found for one in each.features]
        rows = np.concatenate(_shifted([asked.rows for asked in needs], [len(asked.references) for asked in needs]))
        columns = np.concatenate(
            _shifted([asked.detections for asked in needs], [len(each.features) for each in found])
        )
        scores = []
        at_once = self._settings.pairs_per_batch
        for start in range(0, len(rows), at_once):
            part = slice(start, start + at_once)
            known = [references[row] for row in rows[part].tolist()]
            seen = [shown[column] for column in columns[part].tolist()]
            scores.append(self.pairs(known, seen))
        together = torch.cat(scores).double().cpu().numpy()
        return np.split(together, np.cumsum(counts)[:-1])

    def pairs(self, known: Sequence[Appearance], seen: Sequence[Appearance]) -> Tensor:
        """How alike K pairs are, float32 [K]."""
        templates, candidates = (torch.stack([one.features for one in side]) for side in (known, seen))
        scores = pair_scores(self._network, templates, candidates, self._settings.pairs_per_batch)
        return scores * likeness(*(torch.stack([one.looks for one in side]) for side in (known, seen)))


def _one_by_one(features: Tensor, looks: Tensor) -> list[Appearance]:
    """Copies: whatever keeps one of them keeps no other."""
    return [Appearance(own.clone(), seen.clone()) for own, seen in zip(features, looks, strict=True)]


def _of_each(counts: Sequence[int], device: torch.device) -> Iterator[Tensor]:
    """The rows of each, int64, of things that lie one after another."""
    return iter(torch.split(torch.arange(sum(counts), device=device), list(counts)))


def _ranking(scores: Tensor, least: float) -> Tensor:
    """The places of scores that are not below the least, int64, the best first."""
    order = scores.argsort(descending=True, stable=True)
    return order[scores[order] >= least]


def _shifted(indices: Sequence[NDArray[np.int64]], lengths: Sequence[int]) -> list[NDArray[np.int64]]:
    """Indices into lists of so many, as indices into the lists one after another."""
    starts = np.cumsum([0, *lengths[:-1]])
    return [own + start for own, start in zip(indices, starts, strict=True)]
