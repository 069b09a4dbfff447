"""One training step's forward pass: both stages of the network on a batch of pairs, to its losses."""

from collections.abc import Collection
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from vis_pipeline.trackers.siammask.architectures import COARSE_MASK_SIDE, REFINED_MASK_SIDE, Architecture
from vis_pipeline.trackers.siammask.network import SearchFeatures, SiamMask
from vis_pipeline.training.tracker import labels as rules
from vis_pipeline.training.tracker import losses
from vis_pipeline.training.tracker.crops import PairBatch
from vis_pipeline.training.tracker.settings import LabelSettings, LossSettings

_MASKS = frozenset({"mask", "refined", "second_stage"})


def loss_names(architecture: Architecture, weights: LossSettings) -> tuple[str, ...]:
    """The losses that a network has branches for and that have a weight, by the names in :class:`LossSettings`."""
    names = ["score", "box"] if architecture.scores_anchors else ["similarity"]
    names += ["mask"] * architecture.coarse_mask + ["refined"] * architecture.refine
    names += ["second_stage"] * architecture.segments
    return tuple(name for name in names if getattr(weights, name))


def pair_losses(
    network: SiamMask, batch: PairBatch, settings: LabelSettings, wanted: Collection[str], generator: Generator
) -> dict[str, Tensor]:
    """The unweighted losses of a batch that are `wanted`, by the names in :class:`LossSettings`.

    A pair whose exemplar shows another object has no mask to learn.
    """
    # The targets wait for the device; made before the network runs, they let Python run ahead of it afterwards.
    targets = _targets(network.architecture, batch, settings, generator)
    view = _View(network, network.template(_as_input(batch.exemplars)), network.search(_as_input(batch.searches)))
    found: dict[str, Tensor] = {}
    if "similarity" in wanted:
        scores, _ = network.score_and_locate(view.template, view.search)
        found["similarity"] = losses.similarity_loss(scores.flatten(1), targets.labels)
    if "score" in wanted or "box" in wanted:
        found |= _anchor_losses(view, targets, batch.positive, settings, generator)
    if not _MASKS.isdisjoint(wanted):
        found |= _mask_losses(view, batch, targets, wanted)
    return {name: found[name] for name in wanted}


def total_loss(found: dict[str, Tensor], weights: LossSettings) -> Tensor:
    """The weighted sum of losses by name (eq. 11 and 12)."""
    return torch.stack([getattr(weights, name) * value for name, value in found.items()]).sum()


@dataclass(frozen=True)
class _Targets:
    """What a batch should give.

    Attributes:
        labels: int64 [N, A] of the anchors, [N, P] of the positions where those are scored.
        offsets: float32 [N, 4, A] of the anchors, None without.
        positions: int64 [M, 3], the positions whose masks are learned, as pair, y, x.
        shown: int64, the pairs whose exemplar shows the target.
    """

    labels: Tensor
    offsets: Tensor | None
    positions: Tensor
    shown: Tensor


@dataclass(frozen=True)
class _View:
    """A network and what it sees in a batch."""

    network: SiamMask
    template: Tensor
    search: SearchFeatures


def _targets(architecture: Architecture, batch: PairBatch, settings: LabelSettings, generator: Generator) -> _Targets:
    boxes, positive, side = batch.boxes, batch.positive, batch.searches.shape[-1]
    offsets = None
    if architecture.scores_anchors:
        anchors = rules.search_anchors(side).to(boxes.device)
        labels = rules.anchor_labels(anchors, boxes, positive, settings.positive_iou, settings.negative_iou)
        offsets = rules.box_offsets(anchors, boxes)
        cells = rules.positive_positions(labels)
    else:
        centres = rules.position_centres(side).to(boxes.device)
        labels = rules.similarity_labels(centres, boxes, positive, settings.radius)
        cells = labels == rules.POSITIVE
    positions = rules.mask_positions(cells, settings.masks, generator)
    return _Targets(labels, offsets, positions, torch.nonzero(positive)[:, 0])


def _anchor_losses(
    view: _View, targets: _Targets, positive: Tensor, settings: LabelSettings, generator: Generator
) -> dict[str, Tensor]:
    scores, offsets = view.network.score_and_locate(view.template, view.search)
    assert offsets is not None and targets.offsets is not None, "only a network with a box branch has anchors"
    labels = targets.labels
    score_logits = scores.reshape(len(labels), 2, -1)
    if settings.negative_reach is not None:
        labels = rules.middle_only(labels, positive, settings.negative_reach)
    target_scores = (score_logits[:, 1] - score_logits[:, 0]).detach()
    labels = rules.sample_labels(
        labels, positive, target_scores, settings.positives, settings.samples, settings.hard, generator
    )
    return {
        "score": losses.score_loss(score_logits, labels),
        "box": losses.box_loss(offsets.reshape(len(labels), 4, -1), targets.offsets, labels),
    }


def _mask_losses(view: _View, batch: PairBatch, targets: _Targets, wanted: Collection[str]) -> dict[str, Tensor]:
    network = view.network
    correlation = network.mask_correlation(view.template, view.search)
    windows = rules.mask_windows(batch.search_masks, targets.positions)
    found: dict[str, Tensor] = {}
    coarse: dict[str, tuple[Tensor, Tensor]] = {}
    if "mask" in wanted:
        pair, y, x = targets.positions.unbind(1)
        coarse["mask"] = (correlation[pair, :, y, x], windows)
    if "refined" in wanted:
        found["refined"] = losses.mask_loss(network.refine_at(view.search, correlation, targets.positions), windows)
    if "second_stage" in wanted:
        # Without positive pairs there are no crops around stage 1's (simulated) boxes.
        found["second_stage"] = correlation.sum() * 0
        if len(targets.shown):
            masks = batch.second_masks[targets.shown]
            crops = network.search(_as_input(batch.seconds[targets.shown]))
            second = network.mask_correlation(view.template[targets.shown], crops)
            if network.architecture.refine:
                found["second_stage"] = losses.mask_loss(network.refine_whole(crops, second), masks)
            else:
                coarse["second_stage"] = (second.flatten(1), masks)
    return found | _coarse_losses(network, coarse)


def _coarse_losses(network: SiamMask, coarse: dict[str, tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """Losses of the 63x63 head from correlation vectors [M, C] and target masks [M, 127, 127] by name.

    All vectors go through the head's batch norm at once: a few of them alone would have no statistics.
    """
    if not coarse:
        return {}
    vectors = torch.cat([given for given, _ in coarse.values()])
    if len(vectors) < 2:
        return dict.fromkeys(coarse, vectors.sum() * 0)
    parts = torch.split(_coarse_masks(network, vectors), [len(given) for given, _ in coarse.values()])
    return {
        name: losses.mask_loss(logits, masks) for (name, (_, masks)), logits in zip(coarse.items(), parts, strict=True)
    }


def _coarse_masks(network: SiamMask, vectors: Tensor) -> Tensor:
    """The 63x63 head's logits from correlation vectors [M, C], enlarged to [M, 127, 127] as the release does."""
    logits = network.coarse_mask_logits(vectors[:, :, None, None]).view(-1, 1, COARSE_MASK_SIDE, COARSE_MASK_SIDE)
    side = (REFINED_MASK_SIDE, REFINED_MASK_SIDE)
    return F.interpolate(logits.float(), side, mode="bilinear", align_corners=True)[:, 0]


def _as_input(crops: Tensor) -> Tensor:
    return crops.to(torch.float32, memory_format=torch.channels_last)
