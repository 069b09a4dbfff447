"""A pipeline's settings, from its config."""

import pytest

from vis_pipeline.errors import ConfigError
from vis_pipeline.runs.settings import load_pipeline
from vis_pipeline.trackers.siammask.presets import PRESETS


def test_siammask_s_settings_can_be_given_one_by_one():
    assert load_pipeline("procedural_small").siammask.settings() == PRESETS["davis"].__class__(stages=2)
    given = load_pipeline(
        "procedural_small",
        ["siammask.preset=vot", "siammask.stages=1", "siammask.mask_threshold=0.5", "siammask.batch=8"],
    ).siammask.settings()
    assert (given.mask_threshold, given.batch, given.stages) == (0.5, 8, 1)
    assert (given.penalty_k, given.window_influence, given.size_rate) == (0.04, 0.42, 0.25)


def test_what_siammask_cannot_be_given_is_named():
    with pytest.raises(ConfigError, match=r"siammask\.mask_threshold = 2"):
        load_pipeline("procedural_small", ["siammask.mask_threshold=2"])
    with pytest.raises(ConfigError, match="did you mean 'penalty_k'"):
        load_pipeline("procedural_small", ["siammask.penalty=0.1"])
