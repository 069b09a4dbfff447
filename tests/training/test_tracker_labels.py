"""Label rules against cases worked by hand."""

import pytest
import torch

from vis_pipeline.training.tracker.labels import (
    IGNORED,
    NEGATIVE,
    POSITIVE,
    anchor_labels,
    box_iou,
    box_offsets,
    mask_positions,
    mask_windows,
    sample_labels,
    search_anchors,
)


def test_anchors_of_a_whole_search_crop_are_centred_on_its_middle_pixel():
    anchors = search_anchors()
    assert anchors.shape == (5 * 25 * 25, 4)
    assert anchors[0].tolist() == [31, 31, 104, 32]
    assert anchors[2 * 625 + 12 * 25 + 12].tolist() == [127, 127, 64, 64]
    assert anchors[4 * 625 + 3 * 25 + 7].tolist() == [31 + 7 * 8, 31 + 3 * 8, 32, 96]


def test_anchors_of_a_shorter_crop_are_the_inner_ones():
    anchors = search_anchors(191)
    assert anchors.shape == (5 * 17 * 17, 4)
    assert anchors[0].tolist() == [31, 31, 104, 32]
    assert anchors[2 * 289 + 8 * 17 + 8].tolist() == [95, 95, 64, 64]


def test_iou_of_boxes_that_share_a_quarter():
    first = torch.tensor([10.0, 10, 8, 8])
    assert box_iou(first, torch.tensor([14.0, 14, 8, 8])).item() == pytest.approx(16 / (64 + 64 - 16))
    assert box_iou(first, torch.tensor([30.0, 10, 8, 8])).item() == 0


def test_anchors_are_positive_from_the_upper_threshold_and_negative_below_the_lower():
    anchors = torch.tensor([[0.0, 0, 10, 10], [2, 0, 10, 10], [4, 0, 10, 10], [20, 0, 10, 10]])  # IoU 1, 2/3, 3/7, 0
    boxes = torch.tensor([[0.0, 0, 10, 10]])
    labels = anchor_labels(anchors, boxes, torch.tensor([True]), 0.6, 0.3)
    assert labels.tolist() == [[POSITIVE, POSITIVE, IGNORED, NEGATIVE]]


def test_every_anchor_of_a_negative_pair_is_negative():
    anchors = torch.tensor([[0.0, 0, 10, 10], [4, 0, 10, 10]])
    labels = anchor_labels(anchors, torch.tensor([[0.0, 0, 10, 10]]), torch.tensor([False]), 0.6, 0.3)
    assert labels.tolist() == [[NEGATIVE, NEGATIVE]]


def test_offsets_are_relative_shifts_and_logarithms_of_both_sides():
    anchors = torch.tensor([[100.0, 50, 20, 40]])
    offsets = box_offsets(anchors, torch.tensor([[110.0, 30, 40, 20]]))
    expected = torch.tensor([[[0.5], [-0.5], [0.6931472], [-0.6931472]]])
    torch.testing.assert_close(offsets, expected)


def _labels(*rows):
    return torch.tensor(rows)


def test_sampling_keeps_at_most_the_positives_and_fills_up_with_negatives():
    labels = _labels([POSITIVE] * 30 + [NEGATIVE] * 100 + [IGNORED] * 5, [POSITIVE] * 3 + [NEGATIVE] * 132)
    kept = sample_labels(labels, torch.zeros(labels.shape), 16, 64, 0.0, torch.Generator().manual_seed(0))
    assert (kept == POSITIVE).sum(1).tolist() == [16, 3]
    assert (kept == NEGATIVE).sum(1).tolist() == [48, 61]
    assert (labels[kept != IGNORED] == kept[kept != IGNORED]).all()


def test_a_pair_without_positives_keeps_as_many_negatives_as_positives_are_allowed():
    kept = sample_labels(_labels([NEGATIVE] * 50), torch.zeros(1, 50), 16, 64, 0.5, torch.Generator().manual_seed(0))
    assert (kept == NEGATIVE).sum() == 16


def test_the_hard_share_of_negatives_has_the_highest_scores():
    labels = _labels([POSITIVE, *[NEGATIVE] * 20])
    scores = torch.arange(21.0)[None]
    kept = sample_labels(labels, scores, 2, 9, 0.5, torch.Generator().manual_seed(0))
    assert (kept == NEGATIVE).sum() == 8
    assert (kept[0, 17:] == NEGATIVE).all()


def test_mask_positions_are_places_with_a_positive_anchor():
    labels = torch.full((2, 5, 25, 25), NEGATIVE)
    labels[0, 3, 7, 9] = POSITIVE
    labels[0, 4, 7, 9] = POSITIVE
    labels[1, 0, 0, 24] = POSITIVE
    found = mask_positions(labels.flatten(1), 4, torch.Generator().manual_seed(0))
    assert found.tolist() == [[0, 7, 9], [1, 0, 24]]


def test_mask_positions_are_limited_per_pair():
    labels = torch.full((2, 5 * 289), POSITIVE)
    found = mask_positions(labels, 3, torch.Generator().manual_seed(0))
    assert found[:, 0].tolist() == [0, 0, 0, 1, 1, 1]
    assert len({tuple(row) for row in found.tolist()}) == 6


def test_a_mask_window_begins_at_eight_times_its_position_in_the_plane_with_margin():
    planes = torch.zeros(1, 319, 319, dtype=torch.bool)
    planes[0, 8 * 5 + 2, 8 * 20 + 126] = True
    window = mask_windows(planes, torch.tensor([[0, 5, 20]]))
    assert torch.nonzero(window).tolist() == [[0, 2, 126]]
    assert window.shape == (1, 127, 127)
