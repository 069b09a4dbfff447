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
    middle_only,
    position_centres,
    positive_positions,
    sample_labels,
    search_anchors,
    similarity_labels,
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


def test_a_crop_of_143_pixels_has_the_inner_nine_positions():
    assert position_centres(143).tolist() == [[x, y] for y in (63, 71, 79) for x in (63, 71, 79)]
    anchors = search_anchors(143)
    assert anchors.shape == (5 * 9, 4)
    assert anchors[2 * 9 + 1 * 3 + 1].tolist() == [71, 71, 64, 64]


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


def test_an_anchor_of_exactly_the_upper_threshold_is_positive_and_of_the_lower_is_ignored():
    # A box of 8x10 against anchors 8x10, 8x6 inside it (IoU 0.6), 8x3 inside it (IoU 0.3) and 4x5 (IoU 0.25).
    anchors = torch.tensor([[0.0, 0, 8, 10], [0, 0, 8, 6], [0, 0, 8, 3], [0, 0, 4, 5]])
    iou = box_iou(anchors, torch.tensor([0.0, 0, 8, 10]))
    labels = anchor_labels(anchors, torch.tensor([[0.0, 0, 8, 10]]), torch.tensor([True]), iou[1], iou[2])
    assert iou.tolist() == pytest.approx([1, 0.6, 0.3, 0.25])
    assert labels.tolist() == [[POSITIVE, POSITIVE, IGNORED, NEGATIVE]]


def test_negative_pairs_may_keep_the_middle_of_the_response_only():
    # A 5x5 response: of a negative pair the 3x3 in its middle stay, for each of the five shapes.
    labels = torch.zeros(2, 5 * 25, dtype=torch.int64)
    kept = middle_only(labels, torch.tensor([True, False]), 1).view(2, 5, 5, 5)
    assert (kept[0] == NEGATIVE).all()
    assert (kept[1] == NEGATIVE).sum() == 5 * 9
    assert kept[1, 4].tolist() == [
        [IGNORED] * 5,
        *[[IGNORED, NEGATIVE, NEGATIVE, NEGATIVE, IGNORED]] * 3,
        [IGNORED] * 5,
    ]


def test_two_branch_positions_are_positive_less_than_sixteen_pixels_from_the_centre():
    # Centre (127, 127): of the positions at steps of 8 those at 0, 8 and 8 * sqrt(2) = 11.3 are nearer than 16; those
    # at (16, 0) are not, nor those at (8, 16) or 17.9.
    centres = position_centres(255)
    labels = similarity_labels(centres, torch.tensor([[127.0, 127, 60, 30]]), torch.tensor([True]), 16.0)
    found = centres[labels[0] == POSITIVE]
    assert found.tolist() == [[x, y] for y in (119, 127, 135) for x in (119, 127, 135)]
    assert (labels == NEGATIVE).sum() == 625 - 9


def test_two_branch_positions_follow_the_objects_centre_and_vanish_in_negative_pairs():
    # Centre (131, 127): in its row 119 is 12 away, 127 and 135 are 4, 143 is 12; the rows 8 above and below reach
    # sqrt(144 + 64) = 14.4 at the ends; the rows 16 above and below are too far.
    centres = position_centres(255)
    boxes = torch.tensor([[131.0, 127, 10, 10], [131, 127, 10, 10]])
    labels = similarity_labels(centres, boxes, torch.tensor([True, False]), 16.0)
    assert centres[labels[0] == POSITIVE].tolist() == [[x, y] for y in (119, 127, 135) for x in (119, 127, 135, 143)]
    assert (labels[1] == NEGATIVE).all()


def test_offsets_are_relative_shifts_and_logarithms_of_both_sides():
    anchors = torch.tensor([[100.0, 50, 20, 40]])
    offsets = box_offsets(anchors, torch.tensor([[110.0, 30, 40, 20]]))
    expected = torch.tensor([[[0.5], [-0.5], [0.6931472], [-0.6931472]]])
    torch.testing.assert_close(offsets, expected)


def _labels(*rows):
    return torch.tensor(rows)


def test_sampling_keeps_at_most_the_positives_and_fills_up_with_negatives():
    labels = _labels([POSITIVE] * 30 + [NEGATIVE] * 100 + [IGNORED] * 5, [POSITIVE] * 3 + [NEGATIVE] * 132)
    both = torch.tensor([True, True])
    kept = sample_labels(labels, both, torch.zeros(labels.shape), 16, 64, 0.0, torch.Generator().manual_seed(0))
    assert (kept == POSITIVE).sum(1).tolist() == [16, 3]
    assert (kept == NEGATIVE).sum(1).tolist() == [48, 61]
    assert (labels[kept != IGNORED] == kept[kept != IGNORED]).all()


def test_a_negative_pair_keeps_as_many_negatives_as_positives_are_allowed():
    # The first pair is positive, though no anchor fits its object.
    labels = _labels([NEGATIVE] * 90, [NEGATIVE] * 90)
    kept = sample_labels(
        labels, torch.tensor([True, False]), torch.zeros(2, 90), 16, 64, 0.5, torch.Generator().manual_seed(0)
    )
    assert (kept == NEGATIVE).sum(1).tolist() == [64, 16]


def test_the_hard_share_of_negatives_has_the_highest_scores():
    labels = _labels([POSITIVE, *[NEGATIVE] * 20])
    scores = torch.arange(21.0)[None]
    kept = sample_labels(labels, torch.tensor([True]), scores, 2, 9, 0.5, torch.Generator().manual_seed(0))
    assert (kept == NEGATIVE).sum() == 8
    assert (kept[0, 17:] == NEGATIVE).all()


def test_mask_positions_are_places_with_a_positive_anchor():
    labels = torch.full((2, 5, 25, 25), NEGATIVE)
    labels[0, 3, 7, 9] = POSITIVE
    labels[0, 4, 7, 9] = POSITIVE
    labels[1, 0, 0, 24] = POSITIVE
    found = mask_positions(positive_positions(labels.flatten(1)), 4, torch.Generator().manual_seed(0))
    assert found.tolist() == [[0, 7, 9], [1, 0, 24]]


def test_mask_positions_are_limited_per_pair():
    found = mask_positions(torch.ones(2, 289, dtype=torch.bool), 3, torch.Generator().manual_seed(0))
    assert found[:, 0].tolist() == [0, 0, 0, 1, 1, 1]
    assert len({tuple(row) for row in found.tolist()}) == 6


def test_a_mask_window_begins_at_eight_times_its_position_in_the_plane_with_margin():
    planes = torch.zeros(1, 319, 319, dtype=torch.bool)
    planes[0, 8 * 5 + 2, 8 * 20 + 126] = True
    window = mask_windows(planes, torch.tensor([[0, 5, 20]]))
    assert torch.nonzero(window).tolist() == [[0, 2, 126]]
    assert window.shape == (1, 127, 127)


def test_a_mask_window_of_a_crop_of_143_pixels_covers_it_but_for_its_shift():
    # Position (0, 2) of the 3x3 response: the window begins at row 0 and column 16 of the crop, which itself begins
    # at 32 in the plane.
    planes = torch.zeros(1, 207, 207, dtype=torch.bool)
    planes[0, 32 + 5, 32 + 16 + 9] = True
    window = mask_windows(planes, torch.tensor([[0, 0, 2]]))
    assert torch.nonzero(window).tolist() == [[0, 5, 9]]
