"""Losses against cases worked by hand."""

import math

import pytest
import torch

from vis_pipeline.training.tracker.labels import IGNORED, NEGATIVE, POSITIVE
from vis_pipeline.training.tracker.losses import box_loss, mask_loss, score_loss, similarity_loss


def test_score_loss_is_half_the_mean_over_positives_and_half_that_over_negatives():
    # Logits (background, target): the positive has probability 3/4, the negatives 1/2 and 1/4 for the target.
    logits = torch.tensor([[[0.0, 0.0, math.log(3), 9.0], [math.log(3), 0.0, 0.0, 9.0]]])
    labels = torch.tensor([[POSITIVE, NEGATIVE, NEGATIVE, IGNORED]])
    expected = -math.log(3 / 4) / 2 + (-math.log(1 / 2) - math.log(3 / 4)) / 4
    assert score_loss(logits, labels).item() == pytest.approx(expected, rel=1e-6)


def test_score_loss_without_positives_is_half_the_negatives_mean():
    logits = torch.zeros(1, 2, 3)
    labels = torch.tensor([[NEGATIVE, NEGATIVE, IGNORED]])
    assert score_loss(logits, labels).item() == pytest.approx(math.log(2) / 2)


def test_box_loss_sums_the_four_offsets_and_averages_positives_then_pairs():
    offsets = torch.zeros(2, 4, 3)
    targets = torch.zeros(2, 4, 3)
    targets[0, :, 0] = torch.tensor([0.1, -0.2, 0.3, -0.4])
    targets[0, :, 1] = torch.tensor([1.0, 1.0, 1.0, 1.0])
    targets[0, :, 2] = 100.0
    targets[1] = 100.0
    labels = torch.tensor([[POSITIVE, POSITIVE, NEGATIVE], [NEGATIVE, NEGATIVE, IGNORED]])
    assert box_loss(offsets, targets, labels).item() == pytest.approx(((1.0 + 4.0) / 2 + 0.0) / 2)


def test_similarity_loss_is_logistic_and_weighs_both_kinds_alike():
    # log(1 + exp(-y v)): the positive with v = ln 3 costs ln(4/3); the negatives with v = 0, ln 3 and -ln 3 cost ln 2,
    # ln 4 and ln(4/3).
    logits = torch.tensor([[math.log(3), 0.0], [math.log(3), -math.log(3)]])
    labels = torch.tensor([[POSITIVE, NEGATIVE], [NEGATIVE, NEGATIVE]])
    expected = math.log(4 / 3) / 2 + (math.log(2) + math.log(4) + math.log(4 / 3)) / 3 / 2
    assert similarity_loss(logits, labels).item() == pytest.approx(expected, rel=1e-6)


def test_mask_loss_is_the_mean_logistic_loss_over_pixels():
    logits = torch.tensor([[[0.0, math.log(3)]], [[-math.log(3), math.log(3)]]])
    targets = torch.tensor([[[True, True]], [[True, False]]])
    expected = (math.log(2) + math.log(4 / 3) + math.log(4) + math.log(4)) / 4
    assert mask_loss(logits, targets).item() == pytest.approx(expected, rel=1e-6)


def test_mask_loss_of_no_masks_is_zero_and_has_a_gradient():
    logits = torch.zeros(0, 127, 127, requires_grad=True)
    loss = mask_loss(logits, torch.zeros(0, 127, 127, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
