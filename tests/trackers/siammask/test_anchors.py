import pytest
import torch

from vis_pipeline.trackers.siammask.anchors import anchor_boxes, anchor_sizes


def test_sizes_are_the_releases():
    assert anchor_sizes().tolist() == [[104, 32], [88, 40], [64, 64], [40, 80], [32, 96]]


@pytest.mark.parametrize(("anchor", "y", "x"), [(0, 0, 0), (2, 12, 12), (4, 24, 3)])
def test_boxes_lie_on_the_response_grid(anchor, y, x):
    boxes = anchor_boxes()
    assert boxes.shape == (5 * 625, 4)
    expected = torch.tensor([(x - 12) * 8.0, (y - 12) * 8.0, *anchor_sizes()[anchor]])
    assert torch.equal(boxes[anchor * 625 + y * 25 + x], expected)
