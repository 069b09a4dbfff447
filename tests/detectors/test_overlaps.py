"""Overlapping detections, against a literal greedy choice over sets of pixels."""

import math

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from detectors.overlaps import WithoutOverlaps, undisputed
from vis_pipeline.runs.settings import load_pipeline
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame

BOXES = st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 6), st.integers(0, 6))
LIMITS = st.sampled_from([0.2, 0.5, 0.8, 1.0, math.inf])


def masks_of(boxes):
    masks = np.zeros((len(boxes), 12, 12), dtype=bool)
    for mask, (x, y, width, height) in zip(masks, boxes, strict=True):
        mask[y : y + height, x : x + width] = True
    return torch.from_numpy(masks)


@given(st.lists(st.tuples(BOXES, st.sampled_from([0.1, 0.3, 0.5, 0.9])), max_size=7), LIMITS, LIMITS)
def test_from_the_best_on_each_stays_that_no_better_one_disputes(found, iou, share):
    masks = masks_of([box for box, _ in found])
    scores = torch.tensor([score for _, score in found])
    pixels = [set(zip(*np.nonzero(mask.numpy()), strict=True)) for mask in masks]
    kept = []
    for index in sorted(range(len(found)), key=lambda index: (-found[index][1], index)):
        common = [(len(pixels[index] & pixels[other]), len(pixels[index] | pixels[other])) for other in kept]
        overlaps = any(both and both / either >= iou - 1e-9 for both, either in common)
        inside = any(pixels[index] and both / len(pixels[index]) >= share - 1e-9 for both, _ in common)
        if not overlaps and not inside:
            kept.append(index)
    assert undisputed(masks, scores, iou, share).nonzero()[:, 0].tolist() == sorted(kept)


class Fixed:
    def __init__(self, found):
        self.found = found

    def detect(self, frames):
        return [self.found for _ in frames]


def test_a_part_and_a_second_opinion_go_and_what_is_beside_stays():
    boxes = [(0, 0, 6, 6), (0, 0, 6, 5), (1, 1, 2, 2), (6, 6, 4, 4)]
    masks = masks_of(boxes)
    corners = torch.tensor([[x, y, x + w, y + h] for x, y, w, h in boxes], dtype=torch.float32)
    found = Detections(corners, torch.tensor([0.9, 0.8, 0.7, 0.2]), torch.tensor([1, 2, 1, 3]), masks)
    frame = Frame(1, 0, "a", np.zeros((12, 12, 3), np.uint8))
    (left,) = WithoutOverlaps(Fixed(found), 0.5, 0.8).detect([frame])
    assert left.labels.tolist() == [1, 3] and left.boxes.tolist() == corners[[0, 3]].tolist()
    (left,) = WithoutOverlaps(Fixed(found), math.inf, 0.8).detect([frame])
    assert left.labels.tolist() == [1, 3]
    (left,) = WithoutOverlaps(Fixed(found), 0.5, math.inf).detect([frame])
    assert left.labels.tolist() == [1, 1, 3]


def test_a_pipeline_asks_for_it():
    options = ["detector.overlap_iou=0.5"]
    chosen = load_pipeline("procedural_small", options).detector
    assert isinstance(chosen.build(chosen.categories(), torch.device("cpu")), WithoutOverlaps)
    plain = load_pipeline("procedural_small").detector
    assert not isinstance(plain.build(plain.categories(), torch.device("cpu")), WithoutOverlaps)
