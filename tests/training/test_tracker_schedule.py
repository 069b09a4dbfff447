"""The learning rate and the crop sizes over a training."""

import pytest

from vis_pipeline.config import parse
from vis_pipeline.errors import ConfigError
from vis_pipeline.training.tracker.schedule import learning_rate, norm_freeze_step, search_side
from vis_pipeline.training.tracker.settings import ScheduleSettings


def test_rate_rises_linearly_then_falls_to_the_final_rate():
    settings = ScheduleSettings(steps=101, learning_rate=1.0, final_rate=0.2, warm_up=4)
    assert [learning_rate(step, settings) for step in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert learning_rate(4, settings) == pytest.approx(1.0)
    assert learning_rate(52, settings) == pytest.approx(0.6)
    assert learning_rate(100, settings) == pytest.approx(0.2)


def test_search_sides_and_norm_freeze_are_shares_of_the_steps():
    settings = ScheduleSettings(steps=10, freeze_norm_at=0.6, search_sides=((0.0, 191), (0.5, 255)))
    assert [search_side(step, settings) for step in range(10)] == [191] * 5 + [255] * 5
    assert norm_freeze_step(settings) == 6


@pytest.mark.parametrize("sides", [[(0.0, 191)], [(0.0, 200), (0.5, 255)], [(0.0, 143), (0.5, 255)], [(0.1, 255)], []])
def test_search_sides_that_do_not_fit_are_refused(sides):
    with pytest.raises(ConfigError, match="search_sides"):
        parse(ScheduleSettings, {"steps": 10, "search_sides": sides}, "config x")
