"""One training step's forward pass: both stages of the network on a batch of pairs, to its losses."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from vis_pipeline.siammask.architectures import COARSE_MASK_SIDE, REFINED_MASK_SIDE
from vis_pipeline.siammask.network import SiamMask
from vis_pipeline.training.tracker import labels as rules
from vis_pipeline.training.tracker import losses
from vis_pipeline.training.tracker.crops import PairBatch
from vis_pipeline.training.tracker.settings import LabelSettings, LossSettings


def pair_losses(
    network: SiamMask, batch: PairBatch, anchors: Tensor, settings: LabelSettings, generator: Generator
) -> dict[str, Tensor]:
    """The unweighted losses of a batch, by the names in :class:`LossSettings`; those without a branch are left out.

    `anchors` are the A anchors of a search crop, float32 [A, 4], centre form in crop pixels.
    """
    template = network.template(batch.exemplars.float())
    search = network.search(batch.searches.float())
    scores, offsets = network.score_and_locate(template, search)
    assert offsets is not None, "the two-branch variant has no anchors to learn from"
    count = len(anchors)
    score_logits, box_offsets = scores.reshape(-1, 2, count), offsets.reshape(-1, 4, count)

    all_labels = rules.anchor_labels(anchors, batch.boxes, batch.positive, settings.positive_iou, settings.negative_iou)
    target_scores = (score_logits[:, 1] - score_logits[:, 0]).detach()
    labels = rules.sample_labels(
        all_labels, target_scores, settings.positives, settings.samples, settings.hard, generator
    )
    found = {
        "score": losses.score_loss(score_logits, labels),
        "box": losses.box_loss(box_offsets, rules.box_offsets(anchors, batch.boxes), labels),
    }
    positions = rules.mask_positions(all_labels, settings.masks, generator)
    targets = rules.mask_windows(batch.search_masks, positions)
    correlation = network.mask_correlation(template, search)
    if network.architecture.coarse_mask:
        found["mask"] = losses.mask_loss(_coarse_masks(network, correlation, positions), targets)
    if network.architecture.refine:
        found["refined"] = losses.mask_loss(network.refine_at(search, correlation, positions), targets)
        found["second_stage"] = _second_stage_loss(network, template, batch)
    return found


def total_loss(found: dict[str, Tensor], weights: LossSettings) -> Tensor:
    """The weighted sum of losses by name."""
    return torch.stack([getattr(weights, name) * value for name, value in found.items()]).sum()


def _second_stage_loss(network: SiamMask, template: Tensor, batch: PairBatch) -> Tensor:
    """The refined mask's loss on crops around stage 1's (simulated) box; a negative pair has no mask to learn."""
    chosen = batch.positive
    if not chosen.any():
        return template.sum() * 0
    crops = network.search(batch.seconds[chosen].float())
    logits = network.refine_whole(crops, network.mask_correlation(template[chosen], crops))
    return losses.mask_loss(logits, batch.second_masks[chosen])


def _coarse_masks(network: SiamMask, correlation: Tensor, positions: Tensor) -> Tensor:
    """The 63x63 head's logits at positions, enlarged to [M, 127, 127] as the release does."""
    pair, y, x = positions.unbind(1)
    vectors = correlation[pair, :, y, x][:, :, None, None]
    logits = network.coarse_mask_logits(vectors).view(-1, 1, COARSE_MASK_SIDE, COARSE_MASK_SIDE)
    side = (REFINED_MASK_SIDE, REFINED_MASK_SIDE)
    return F.interpolate(logits.float(), side, mode="bilinear", align_corners=True)[:, 0]
