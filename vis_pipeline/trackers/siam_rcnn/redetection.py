"""Asking a frame for objects that were seen before: all templates in one batch, each with boxes of its own.

What a template is given does not depend on the others but for the last bits, which the size of a batch decides.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from mmcv.ops import nms
from torch import Tensor

from vis_pipeline.errors import ConfigError
from vis_pipeline.structures.regions import RegionFeatures
from vis_pipeline.trackers.siam_rcnn.redetector import RedetectionStage, Redetector, object_probability
from vis_pipeline.trackers.siam_rcnn.settings import RedetectionSettings


@dataclass(frozen=True)
class Redetections:
    """The K re-detections of one template in one frame, best first.

    Attributes:
        boxes: float32 [K, 4], x1, y1, x2, y2 in pixels of the frame, right and bottom edges exclusive, inside it.
        scores: float32 [K], in 0..1.
    """

    boxes: Tensor
    scores: Tensor

    def __len__(self) -> int:
        return len(self.scores)


@torch.inference_mode()
def redetect(
    network: Redetector,
    templates: Tensor,
    regions: RegionFeatures,
    previous: Sequence[Tensor],
    settings: RedetectionSettings,
    likely: Tensor | None = None,
) -> list[Redetections]:
    """Look for T templates among a frame's proposals and each one's own previous boxes.

    Args:
        network: in evaluation mode.
        templates: float32 [T, C, 7, 7], RoI features from the same detector.
        regions: of the frame.
        previous: T times float32 [P_t, 4], boxes to look at beside the proposals (the template's re-detections in the
            frame before), in pixels of the frame.
        settings: which are kept.
        likely: bool [T, P], which of the P proposals that settings let through each template is compared with; None:
            with all.

    Raises:
        ConfigError: the network is of a detector with another number of channels.
    """
    require_channels(network, regions.channels)
    if not len(templates):
        return []
    proposals = regions.proposals[: settings.proposals]
    everything = torch.cat([proposals, *previous])
    places, owners = _pairs(len(proposals), previous, everything.device)
    if likely is not None:
        own = likely.new_ones((len(templates), len(everything) - len(proposals)))
        asked = torch.cat([likely, own], dim=1)[owners, places]
        places, owners = places[asked], owners[asked]
    first, *later = network.cascade
    seen = _gathered(regions.align(everything), places, settings.pairs_per_batch)
    boxes, totals = _stage(first, templates, everything[places], owners, seen, regions.size)
    if settings.refined is not None:
        kept = _best_of_each(totals, owners, len(templates), settings.refined)
        boxes, totals, owners = boxes[kept], totals[kept], owners[kept]
    for stage in later:
        seen = _aligned(regions, boxes, settings.pairs_per_batch)
        boxes, scores = _stage(stage, templates, boxes, owners, seen, regions.size)
        totals = totals + scores
    totals = totals / (1 + len(later))
    return [_kept(boxes[owners == index], totals[owners == index], settings) for index in range(len(templates))]


@torch.inference_mode()
def pair_scores(network: Redetector, templates: Tensor, candidates: Tensor, pairs_per_batch: int = 512) -> Tensor:
    """Scores of K pairs of boxes that are not moved any more (re-detections), float32 [K] in 0..1.

    Args:
        network: in evaluation mode.
        templates, candidates: float32 [K, C, 7, 7], RoI features of the pairs' boxes; the first is the reference.
        pairs_per_batch: bounds the memory.
    """
    scores = [templates.new_zeros(0)]
    for rows in _batches(len(templates), pairs_per_batch):
        scores.append(network(templates[rows], candidates[rows]))
    return torch.cat(scores)


def require_channels(network: Redetector, channels: int) -> None:
    """Raise ConfigError if the network compares features of another number of channels than a detector gives."""
    expected = network.architecture.channels
    if channels != expected:
        raise ConfigError(
            f"re-detector: it compares features of {expected} channels, the detector gives {channels}; "
            "give the weights that were trained with this detector"
        )


def _pairs(shared: int, previous: Sequence[Tensor], device: torch.device) -> tuple[Tensor, Tensor]:
    """Which box and which template make a pair, int64 [K] each: all with the shared ones, each with its own."""
    places, owners = [], []
    end = shared
    for owner, own in enumerate(previous):
        places += [torch.arange(shared, device=device), torch.arange(end, end + len(own), device=device)]
        owners.append(torch.full((shared + len(own),), owner, dtype=torch.int64, device=device))
        end += len(own)
    return torch.cat(places), torch.cat(owners)


def _batches(count: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))


def _gathered(features: Tensor, places: Tensor, size: int) -> Iterator[tuple[slice, Tensor]]:
    """The features of K pairs' boxes, some rows at a time, from those of all boxes."""
    for rows in _batches(len(places), size):
        yield rows, features[places[rows]]


def _aligned(regions: RegionFeatures, boxes: Tensor, size: int) -> Iterator[tuple[slice, Tensor]]:
    """The features of K pairs' boxes, some rows at a time, as the frame gives them."""
    for rows in _batches(len(boxes), size):
        yield rows, regions.align(boxes[rows])


def _stage(
    stage: RedetectionStage,
    templates: Tensor,
    boxes: Tensor,
    owners: Tensor,
    seen: Iterable[tuple[slice, Tensor]],
    size: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    """The boxes of K pairs as a stage moves them, float32 [K, 4], and how it scores them, [K]."""
    moved, scores = [boxes[:0]], [boxes.new_zeros(0)]
    for rows, features in seen:
        logits, offsets = stage(templates[owners[rows]], features)
        moved.append(stage.moved(boxes[rows], offsets, size))
        scores.append(object_probability(logits))
    return torch.cat(moved), torch.cat(scores)


def _best_of_each(scores: Tensor, owners: Tensor, count: int, limit: int) -> Tensor:
    """Rows of the best `limit` scores of each owner, int64 [K], owner by owner."""
    kept = []
    for owner in range(count):
        rows = (owners == owner).nonzero()[:, 0]
        kept.append(rows[scores[rows].argsort(descending=True, stable=True)[:limit]])
    return torch.cat(kept)


def _kept(boxes: Tensor, scores: Tensor, settings: RedetectionSettings) -> Redetections:
    sides = boxes[:, 2:] - boxes[:, :2]
    possible = (scores >= settings.min_score) & (sides > 0).all(dim=1)
    boxes, scores = boxes[possible], scores[possible]
    if not len(boxes):
        return Redetections(boxes, scores)
    # Template by template: a batched suppression shifts the boxes apart by sums in float32, so that its results would
    # depend on how many templates there are.
    _, kept = nms(boxes, scores, settings.nms_iou)
    kept = kept[: settings.max_per_template]
    return Redetections(boxes[kept], scores[kept])
