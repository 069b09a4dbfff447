"""The learning rate and the crop sizes over a training."""

import pytest

from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.config import parse
from vis_pipeline.training.tracker.recipe import AdamWCosine, SgdLogarithmic
from vis_pipeline.training.tracker.schedule import learning_rate, norm_freeze_step, search_side
from vis_pipeline.training.tracker.settings import TrackerTraining


def test_cosine_rate_rises_linearly_then_falls_to_the_final_rate():
    settings = AdamWCosine(steps=101, learning_rate=1.0, final_rate=0.2, warm_up=4)
    assert [learning_rate(step, settings) for step in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert learning_rate(4, settings) == pytest.approx(1.0)
    assert learning_rate(52, settings) == pytest.approx(0.6)
    assert learning_rate(100, settings) == pytest.approx(0.2)


def test_logarithmic_rate_is_the_papers_over_twenty_epochs():
    # Five epochs up in steps of 1e-3, then fifteen down by the factor (5e-4 / 5e-3)^(1/14) = 10^(-1/14) = 0.8483 each.
    settings = SgdLogarithmic(steps=40)
    rates = [learning_rate(step, settings) for step in range(0, 40, 2)]
    assert rates[:6] == pytest.approx([1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 5e-3])
    assert rates[6] == pytest.approx(5e-3 * 0.8483, rel=1e-4)
    assert rates[12] == pytest.approx(5e-3 * 10**-0.5)
    assert rates[19] == pytest.approx(5e-4)
    assert [learning_rate(step, settings) for step in range(1, 40, 2)] == rates


def test_logarithmic_rate_ends_where_the_release_does():
    settings = SgdLogarithmic(steps=187500, batch=64, final_rate=2.5e-3)
    assert learning_rate(187499, settings) == pytest.approx(2.5e-3)


def test_search_sides_and_norm_freeze_are_shares_of_the_steps():
    settings = AdamWCosine(steps=10, freeze_norm_at=0.6, search_sides=((0.0, 191), (0.5, 255)))
    assert [search_side(step, settings) for step in range(10)] == [191] * 5 + [255] * 5
    assert norm_freeze_step(settings) == 6


@pytest.mark.parametrize("sides", [[(0.0, 191)], [(0.0, 200), (0.5, 255)], [(0.0, 143), (0.5, 255)], [(0.1, 255)], []])
def test_search_sides_that_do_not_fit_are_refused(sides):
    with pytest.raises(ConfigError, match="search_sides"):
        parse(AdamWCosine, {"steps": 10, "search_sides": sides}, "config x")


def test_the_refinement_stage_has_crops_of_143_pixels_throughout():
    assert search_side(7, AdamWCosine(steps=10, search_sides=((0.0, 143),))) == 143


def _schedule(**values):
    content = {"architecture": "small", "sources": (), "schedule": {"steps": 10, **values}}
    return parse(TrackerTraining, content, "config x").schedule


def test_the_type_says_which_schedule_it_is_and_adamw_needs_none():
    assert _schedule(warm_up=7) == AdamWCosine(steps=10, warm_up=7)
    assert _schedule(type="sgd", momentum=0.8) == SgdLogarithmic(steps=10, momentum=0.8)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"type": "sgd", "momentun": 0.9}, "momentun'; did you mean 'momentum'"),
        ({"type": "adamw", "momentum": 0.9}, "unknown key 'schedule.momentum'"),
        ({"type": "rmsprop"}, "type is adamw or sgd"),
        ({"type": "sgd", "epochs": 5, "warm_up_epochs": 5}, "warm_up_epochs"),
        ({"warm_up": -3}, "schedule.warm_up = -3: "),
        ({"final_rate": -1}, "schedule.final_rate = -1: "),
        ({"weight_decay": -1}, "schedule.weight_decay = -1: "),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        _schedule(**values)
