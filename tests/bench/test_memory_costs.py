"""What is timed is what a frame asks."""

import torch
from redetection_scenes import tiny_redetector

from vis_pipeline.bench.memory import memory_costs
from vis_pipeline.trackers.memory import MemorySettings


def test_each_view_of_each_track_is_a_question_about_each_new_object() -> None:
    settings = MemorySettings(views=3, refresh_every=2)
    costs = list(memory_costs(tiny_redetector(), settings, [1, 4], 2, 3, torch.device("cpu")))
    assert [(cost.away, cost.questions) for cost in costs] == [(1, 6), (4, 24)]
    assert all(0 < cost.least <= cost.milliseconds <= cost.most for cost in costs)
