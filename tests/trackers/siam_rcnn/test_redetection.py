"""Re-detection against one that goes pair by pair, and its limits."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from redetection_scenes import SIZE, DrawnRegions, templates, tiny_redetector
from torch import Tensor

from vis_pipeline.errors import ConfigError
from vis_pipeline.trackers.siam_rcnn.redetection import Redetections, RedetectionSettings, pair_scores, redetect
from vis_pipeline.trackers.siam_rcnn.redetector import BOX_WEIGHTS, Redetector

EVERYTHING = RedetectionSettings(nms_iou=1.0, max_per_template=1000, min_score=0.0)


def literal_stage(network: Redetector, index: int, template: Tensor, region: Tensor) -> tuple[float, list[float]]:
    """Probability and offsets of one pair, layer by layer."""
    stage = network.cascade[index]
    head = stage.head
    hidden = F.conv2d(torch.cat([template, region])[None], stage.reduce.weight, stage.reduce.bias)
    for layer in head.shared_convs:
        hidden = F.conv2d(hidden, layer.conv.weight, padding=1)
        hidden = F.relu(F.group_norm(hidden, 4, layer.gn.weight, layer.gn.bias))
    assert len(head.shared_convs) == 4
    hidden = F.relu(F.linear(hidden.flatten(), head.shared_fcs[0].weight, head.shared_fcs[0].bias))
    scores = F.linear(hidden, head.fc_cls.weight, head.fc_cls.bias).exp()
    offsets = F.linear(hidden, head.fc_reg.weight, head.fc_reg.bias) / torch.tensor(BOX_WEIGHTS[index])
    return float(scores[0] / scores.sum()), offsets.tolist()


def literal_move(box: list[float], offsets: list[float]) -> list[float]:
    width, height = box[2] - box[0], box[3] - box[1]
    x, y = (box[0] + box[2]) / 2 + offsets[0] * width, (box[1] + box[3]) / 2 + offsets[1] * height
    width, height = width * 2.718281828459045 ** offsets[2], height * 2.718281828459045 ** offsets[3]
    corners = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    return [min(max(value, 0.0), SIZE[1 - axis % 2]) for axis, value in enumerate(corners)]


def literal_redetections(
    network: Redetector, template: Tensor, regions: DrawnRegions, boxes: list[list[float]], limits: RedetectionSettings
) -> list[tuple[float, list[float]]]:
    """Score and box of each re-detection, best first."""
    found = []
    for first in boxes:
        box, scores = first, []
        for index in range(3):
            score, offsets = literal_stage(network, index, template, regions.align(torch.tensor([box]))[0])
            scores.append(score)
            box = literal_move(box, offsets)
        found.append((sum(scores) / 3, box))
    kept: list[tuple[float, list[float]]] = []
    for score, box in sorted(found, key=lambda one: -one[0]):
        has_area = box[2] > box[0] and box[3] > box[1]
        if has_area and score >= limits.min_score and all(iou(box, other) <= limits.nms_iou for _, other in kept):
            kept.append((score, box))
    return kept[: limits.max_per_template]


def iou(one: list[float], other: list[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / (sum(areas) - common)


def assert_same(found: Redetections, expected: list[tuple[float, list[float]]]) -> None:
    torch.testing.assert_close(found.scores, torch.tensor([score for score, _ in expected]), atol=1e-4, rtol=0)
    boxes = torch.tensor([box for _, box in expected]).reshape(-1, 4)
    torch.testing.assert_close(found.boxes, boxes, atol=1e-2, rtol=0)


@pytest.mark.parametrize("limits", [EVERYTHING, RedetectionSettings(), replace(EVERYTHING, max_per_template=2)])
def test_re_detections_are_those_of_a_literal_cascade(limits: RedetectionSettings) -> None:
    network, regions, wanted = tiny_redetector(), DrawnRegions(), templates(2)
    previous = [torch.tensor([[10.0, 10.0, 30.0, 40.0]]), torch.zeros((0, 4))]
    found = redetect(network, wanted, regions, previous, limits)
    for own, template, others in zip(found, wanted, previous, strict=True):
        boxes = [*regions.proposals.tolist(), *others.tolist()]
        assert_same(own, literal_redetections(network, template, regions, boxes, limits))
    assert len(found[0]) > 1


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.integers(1, 40), st.integers(0, 1000))
def test_a_template_alone_is_given_what_it_is_given_in_company(count: int, batch: int, seed: int) -> None:
    network, regions, wanted = tiny_redetector(seed=seed), DrawnRegions(seed=seed), templates(count, seed=seed)
    previous = [regions.proposals[:index] + 1 for index in range(count)]
    limits = replace(EVERYTHING, refined=4, pairs_per_batch=batch)
    together = redetect(network, wanted, regions, previous, limits)
    for index, found in enumerate(together):
        (alone,) = redetect(network, wanted[index : index + 1], regions, previous[index : index + 1], limits)
        torch.testing.assert_close(found.scores, alone.scores, atol=1e-5, rtol=0)
        torch.testing.assert_close(found.boxes, alone.boxes, atol=1e-2, rtol=0)


def test_what_goes_on_to_the_later_stages_is_what_the_first_one_likes() -> None:
    network, regions, wanted = tiny_redetector(), DrawnRegions(), templates(1)
    scores = [literal_stage(network, 0, wanted[0], regions.align(box[None])[0])[0] for box in regions.proposals]
    best = sorted(range(len(scores)), key=lambda index: -scores[index])[:3]
    boxes = [regions.proposals[index].tolist() for index in best]
    regions.asked = 0
    (found,) = redetect(network, wanted, regions, [torch.zeros((0, 4))], replace(EVERYTHING, refined=3))
    assert regions.asked == 9 + 3 + 3
    assert_same(found, literal_redetections(network, wanted[0], regions, boxes, EVERYTHING))


def test_only_the_first_proposals_are_looked_at() -> None:
    network, regions, wanted = tiny_redetector(), DrawnRegions(), templates(1)
    (found,) = redetect(network, wanted, regions, [torch.zeros((0, 4))], replace(EVERYTHING, proposals=2))
    assert_same(found, literal_redetections(network, wanted[0], regions, regions.proposals[:2].tolist(), EVERYTHING))


def test_nobody_to_look_for_and_nowhere_to_look() -> None:
    network, regions = tiny_redetector(), DrawnRegions(proposals=0)
    assert redetect(network, templates(0), regions, [], EVERYTHING) == []
    (found,) = redetect(network, templates(1), regions, [torch.zeros((0, 4))], EVERYTHING)
    assert found.boxes.shape == (0, 4) and len(found) == 0
    assert pair_scores(network, templates(0), templates(0)).shape == (0,)


def test_pair_scores_are_the_mean_of_the_stages_on_the_same_boxes() -> None:
    network, one, other = tiny_redetector(), templates(5, seed=2), templates(5, seed=3)
    expected = [
        sum(literal_stage(network, index, *pair)[0] for index in range(3)) / 3 for pair in zip(one, other, strict=True)
    ]
    for batch in (2, 512):
        found = pair_scores(network, one, other, batch)
        torch.testing.assert_close(found, torch.tensor(expected), atol=1e-5, rtol=0)
    backwards = pair_scores(network, other, one)
    assert not torch.allclose(backwards, found)


def test_features_of_another_detector() -> None:
    with pytest.raises(ConfigError, match="features of 4 channels, the detector gives 6"):
        redetect(tiny_redetector(4), templates(1), DrawnRegions(channels=6), [torch.zeros((0, 4))], EVERYTHING)


def test_offsets_that_are_learned_move_boxes_onto_the_object() -> None:
    for stage in tiny_redetector().cascade:
        boxes = torch.tensor([[10.0, 10.0, 30.0, 40.0], [1.0, 2.0, 3.0, 9.0]])
        objects = torch.tensor([[12.0, 8.0, 33.0, 30.0], [0.0, 0.0, 4.0, 8.0]])
        moved = stage.moved(boxes, stage.targets(boxes, objects), SIZE)
        torch.testing.assert_close(moved, objects, atol=1e-4, rtol=0)
