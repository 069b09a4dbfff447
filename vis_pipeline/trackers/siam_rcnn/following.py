"""Targets moved on by a frame: re-detected, compared, chosen. All targets of a frame share the network's batches."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.structures.regions import RegionFeatures
from vis_pipeline.trackers.siam_rcnn.redetection import pair_scores, redetect
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector
from vis_pipeline.trackers.siam_rcnn.settings import RedetectionSettings
from vis_pipeline.trackers.siam_rcnn.targets import Needs, Outcome, Redetections, Target


@torch.inference_mode()
def redetected(
    network: Redetector,
    regions: RegionFeatures,
    templates: Sequence[Tensor],
    previous: Sequence[Tensor],
    settings: RedetectionSettings,
) -> list[Redetections[Tensor]]:
    """The re-detections of N targets in a frame, with features float32 [C, 7, 7] on the device.

    Args:
        network: in evaluation mode.
        regions: of the frame.
        templates: float32 [C, 7, 7] of each.
        previous: float32 [P, 4] of each, boxes to look at beside the proposals.
        settings: which re-detections are kept.

    Raises:
        ConfigError: the network is of a detector with another number of channels.
    """
    if not templates:
        return []
    found = redetect(network, torch.stack(list(templates)), regions, previous, settings)
    counts = [len(each) for each in found]
    places = torch.cat([each.boxes for each in found])
    features = torch.split(regions.align(places), counts)
    boxes = torch.split(places.double().cpu(), counts)
    scores = torch.split(torch.cat([each.scores for each in found]).double().cpu(), counts)
    return [
        # Copies: whatever keeps one feature keeps no other.
        Redetections(own_boxes.numpy(), own_scores.numpy(), [feature.clone() for feature in own])
        for own_boxes, own_scores, own in zip(boxes, scores, features, strict=True)
    ]


def moved_on(
    network: Redetector,
    targets: Sequence[Target[Tensor]],
    found: Sequence[Redetections[Tensor]],
    settings: RedetectionSettings,
) -> tuple[list[Target[Tensor]], list[Outcome]]:
    """N targets after a frame with these re-detections, and what it shows of each."""
    needs = [target.needs(each.boxes) for target, each in zip(targets, found, strict=True)]
    scores = _scored(network, needs, found, settings.pairs_per_batch)
    moved: list[Target[Tensor]] = []
    outcomes: list[Outcome] = []
    for target, each, asked, own in zip(targets, found, needs, scores, strict=True):
        after, outcome = target.advance(each, asked, own)
        moved.append(after)
        outcomes.append(outcome)
    return moved, outcomes


@torch.inference_mode()
def _scored(
    network: Redetector, needs: Sequence[Needs[Tensor]], found: Sequence[Redetections[Tensor]], at_once: int
) -> list[NDArray[np.float64]]:
    """The pair scores that each target needs, float64 [K]."""
    counts = [len(asked) for asked in needs]
    if not sum(counts):
        return [np.zeros(0) for _ in needs]
    references = [reference for asked in needs for reference in asked.references]
    features = [feature for each in found for feature in each.features]
    rows = np.concatenate(_shifted([asked.rows for asked in needs], [len(asked.references) for asked in needs]))
    columns = np.concatenate(_shifted([asked.detections for asked in needs], [len(each.features) for each in found]))
    scores = []
    for start in range(0, len(rows), at_once):
        part = slice(start, start + at_once)
        seen = torch.stack([features[column] for column in columns[part].tolist()])
        known = torch.stack([references[row] for row in rows[part].tolist()])
        scores.append(pair_scores(network, known, seen, at_once))
    together = torch.cat(scores).double().cpu().numpy()
    return np.split(together, np.cumsum(counts)[:-1])


def _shifted(indices: Sequence[NDArray[np.int64]], lengths: Sequence[int]) -> list[NDArray[np.int64]]:
    """Indices into lists of so many, as indices into the lists one after another."""
    starts = np.cumsum([0, *lengths[:-1]])
    return [own + start for own, start in zip(indices, starts, strict=True)]
