"""What is read back from the device is what a plain count of the pixels gives."""

import numpy as np
import torch

from vis_pipeline.structures.detections import Detections
from vis_pipeline.trackers.lifecycle.observation import measure, observe, read_windows
from vis_pipeline.trackers.lifecycle.propagation import Propagated

HEIGHT, WIDTH = 12, 20


def filled(*boxes):
    stack = torch.zeros((len(boxes), HEIGHT, WIDTH), dtype=torch.bool)
    for mask, (x, y, w, h) in zip(stack, boxes, strict=True):
        mask[y : y + h, x : x + w] = True
    return stack


def iou(one, other):
    return float((one & other).sum() / max(int((one | other).sum()), 1))


def test_all_that_the_decision_needs():
    image = torch.zeros((HEIGHT, WIDTH, 3), dtype=torch.uint8)
    image[:, 10:] = 200
    masks = filled((0, 0, 4, 4), (12, 2, 4, 6), (8, 5, 4, 4))
    detections = Detections(torch.zeros((3, 4)), torch.tensor([0.9, 0.8, 0.7]), torch.tensor([1, 1, 2]), masks)
    located = torch.tensor([[1.0, 2, 3, 4], [0, 0, 0, 0]], dtype=torch.float64)
    predicted = Propagated(filled((1, 0, 4, 4), (0, 0, 0, 0)), torch.tensor([0.6, 0.0]), located, located)
    last = filled((0, 0, 4, 4), (10, 2, 4, 6))
    observation = observe(image, detections, predicted)
    known = observation.colours[:2]
    found = measure(observation, detections, predicted, last, known, np.array([[0, 0], [2, 0]]))
    stack = torch.cat([masks, predicted.masks])
    expected_last = filled((0, 0, 4, 4), (12, 2, 4, 6))
    np.testing.assert_allclose(found.overlaps, [[iou(a, b) for b in stack] for a in stack], atol=1e-6)
    np.testing.assert_allclose(found.expected, [[iou(a, b) for b in expected_last] for a in masks], atol=1e-6)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(found.likeness, [[1, 0], [0, 1], [half, half], [1, 0], [0, 0]], atol=1e-6)
    assert found.areas.tolist() == [16, 24, 16, 16, 0]
    assert found.boxes.tolist() == [[0, 0, 4, 4], [12, 2, 4, 6], [8, 5, 4, 4], [1, 0, 4, 4], [0, 0, 0, 0]]
    assert found.located.tolist() == located.tolist()
    np.testing.assert_allclose(found.detection_scores, [0.9, 0.8, 0.7], rtol=1e-6)
    np.testing.assert_allclose(found.tracking_scores, [0.6, 0], rtol=1e-6)
    assert found.labels.tolist() == [1, 1, 2]


def test_nothing_found_and_nobody_tracked():
    nobody = torch.zeros((0, 4), dtype=torch.float64)
    predicted = Propagated(filled(), torch.zeros(0), nobody, nobody)
    detections = Detections.none(HEIGHT, WIDTH)
    observation = observe(torch.zeros((HEIGHT, WIDTH, 3), dtype=torch.uint8), detections, predicted)
    found = measure(observation, detections, predicted, filled(), torch.zeros((0, 512)), np.zeros((0, 2), dtype=int))
    assert found.overlaps.shape == found.expected.shape == found.likeness.shape == (0, 0)
    assert found.boxes.shape == found.located.shape == (0, 4)


def test_windows_are_the_masks_in_their_boxes():
    masks = torch.from_numpy(np.random.default_rng(0).random((4, HEIGHT, WIDTH)) < 0.5)
    boxes = np.array([[3, 2, 5, 7], [0, 0, 0, 0], [0, 0, WIDTH, HEIGHT]])
    windows = read_windows(masks, np.array([2, 1, 0]), boxes)
    for window, index, (x, y, w, h) in zip(windows, [2, 1, 0], boxes, strict=True):
        np.testing.assert_array_equal(window, masks[index, y : y + h, x : x + w].numpy())
    assert read_windows(masks, np.zeros(0, dtype=np.int64), np.zeros((0, 4), dtype=np.int64)) == []
