"""The losses of the cascade and of hard examples, against ones that go pair by pair and box by box."""

import math

import pytest
import torch
from redetection_scenes import DrawnRegions, templates, tiny_redetector
from torch import Tensor

from vis_pipeline.trackers.siam_rcnn.redetector import Redetector
from vis_pipeline.training.redetector.losses import HardExamples, cascade_losses, hard_example_losses
from vis_pipeline.training.redetector.store import NARROW, WIDE

WEIGHTS = ((10, 10, 5, 5), (20, 20, 10, 10), (30, 30, 15, 15))


def literal_iou(one: list[float], other: list[float]) -> float:
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


def literal_box_loss(offsets: list[float], box: list[float], true: list[float], weights: tuple[float, ...]) -> float:
    sides, true_sides = [box[2] - box[0], box[3] - box[1]], [true[2] - true[0], true[3] - true[1]]
    wanted = [
        *((true[a] + true[a + 2] - box[a] - box[a + 2]) / 2 / sides[a] for a in (0, 1)),
        *(math.log(true_sides[a] / sides[a]) for a in (0, 1)),
    ]
    errors = [abs(found - weight * value) for found, weight, value in zip(offsets, weights, wanted, strict=True)]
    return sum(error - 0.5 if error >= 1 else error**2 / 2 for error in errors)


def cross_entropy(logits: Tensor, is_object: bool) -> float:
    values = logits.tolist()
    return math.log(sum(math.exp(value) for value in values)) - values[0 if is_object else 1]


def test_each_stage_learns_from_the_boxes_of_the_one_before() -> None:
    network = tiny_redetector()
    sights = [DrawnRegions(seed=3), DrawnRegions(seed=4)]
    true = torch.stack([sight.proposals[0] for sight in sights])
    boxes = [
        torch.cat([sight.proposals[1:5], true[i : i + 1] + torch.tensor([1.0, 0, 2, 1])])
        for i, sight in enumerate(sights)
    ]
    boxes[1] = boxes[1][1:]
    wanted = templates(2)
    with torch.no_grad():
        found = cascade_losses(network, wanted, sights, boxes, true)
        rows = [(pair, box.tolist()) for pair, own in enumerate(boxes) for box in own]
        positives = 0
        for index, threshold in enumerate((0.5, 0.6, 0.7)):
            stage, classes, shifts, moved = network.cascade[index], [], [], []
            for pair, box in rows:
                current = torch.tensor([box])
                logits, offsets = stage(wanted[pair : pair + 1], sights[pair].align(current))
                is_object = literal_iou(box, true[pair].tolist()) >= threshold
                positives += is_object
                classes.append(cross_entropy(logits[0], is_object))
                if is_object:
                    shifts.append(literal_box_loss(offsets[0].tolist(), box, true[pair].tolist(), WEIGHTS[index]))
                moved.append((pair, stage.moved(current, offsets, sights[pair].size)[0].tolist()))
            rows = moved
            assert float(found[f"class_{index + 1}"]) == pytest.approx(sum(classes) / len(classes), rel=1e-3)
            assert float(found[f"box_{index + 1}"]) == pytest.approx(sum(shifts) / len(classes), rel=1e-3, abs=1e-6)
    assert positives >= 3


def test_the_gradient_reaches_all_of_the_network_and_none_of_the_boxes() -> None:
    network: Redetector = tiny_redetector()
    sight = DrawnRegions()
    losses = cascade_losses(network, templates(1), [sight], [sight.proposals], sight.proposals[:1])
    torch.stack(list(losses.values())).sum().backward()
    # What was moved off the object teaches the later stages no offsets.
    learning = [value for name, value in network.named_parameters() if "fc_reg" not in name or "stages.0" in name]
    assert all(value.grad is not None and bool(value.grad.abs().sum() > 0) for value in learning)


def test_hard_examples_are_learned_in_every_stage() -> None:
    network, wanted = tiny_redetector(), templates(2)
    generator = torch.Generator().manual_seed(5)

    def drawn(count: int) -> Tensor:
        return torch.randn((count, 3, 4, 7, 7), generator=generator)

    true = torch.tensor([10.0, 10.0, 30.0, 40.0])
    boxes = torch.stack([torch.stack([true, true + shift, true + shift / 4]) for shift in (9.0, 1.0, 14.0)])
    examples = [
        HardExamples(drawn(3), drawn(3), boxes),
        HardExamples(drawn(1), drawn(0), boxes[:0]),
    ]
    with torch.no_grad():
        found = hard_example_losses(network, wanted, examples)
        expected = {"negative": 0.0, "positive": 0.0, "positive_box": 0.0}
        for index, (threshold, kind) in enumerate(zip((0.5, 0.6, 0.7), (WIDE, NARROW, NARROW), strict=True)):
            stage = network.cascade[index]
            negative, positive, shifts = [], [], []
            for pair, own in enumerate(examples):
                for features in own.negatives[:, kind]:
                    negative.append(cross_entropy(stage(wanted[pair : pair + 1], features[None])[0][0], False))
                for features, box in zip(own.positives[:, kind], own.boxes[:, kind].tolist(), strict=True):
                    logits, offsets = stage(wanted[pair : pair + 1], features[None])
                    is_object = literal_iou(box, true.tolist()) >= threshold
                    positive.append(cross_entropy(logits[0], is_object))
                    if is_object:
                        shifts.append(literal_box_loss(offsets[0].tolist(), box, true.tolist(), WEIGHTS[index]))
            assert len(shifts) > 0
            expected["negative"] += sum(negative) / len(negative)
            expected["positive"] += sum(positive) / len(positive)
            expected["positive_box"] += sum(shifts) / len(shifts)
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(value, rel=1e-3), name


def test_no_hard_examples_are_no_loss() -> None:
    network, wanted = tiny_redetector(), templates(1)
    nothing = HardExamples(torch.zeros((0, 3, 4, 7, 7)), torch.zeros((0, 3, 4, 7, 7)), torch.zeros((0, 3, 4)))
    found = hard_example_losses(network, wanted, [nothing])
    assert list(found) == ["negative", "positive", "positive_box"]
    assert all(float(value) == 0 for value in found.values())
