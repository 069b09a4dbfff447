"""A pipeline's settings, from its config."""

import pytest

from vis_pipeline.errors import ConfigError
from vis_pipeline.runs.settings import load_pipeline
from vis_pipeline.trackers.choices import LastMaskChoice, SiamMaskChoice
from vis_pipeline.trackers.siammask.settings import PRESETS


def test_siammask_s_settings_can_be_given_one_by_one():
    assert load_pipeline("procedural_small").tracker.settings() == PRESETS["davis"].__class__(stages=2)
    given = load_pipeline(
        "procedural_small",
        ["tracker.preset=vot", "tracker.stages=1", "tracker.mask_threshold=0.5", "tracker.batch=8"],
    ).tracker.settings()
    assert (given.mask_threshold, given.batch, given.stages) == (0.5, 8, 1)
    assert (given.penalty_k, given.window_influence, given.size_rate) == (0.04, 0.42, 0.25)


def test_what_siammask_cannot_be_given_is_named():
    with pytest.raises(ConfigError, match=r"tracker\.mask_threshold = 2"):
        load_pipeline("procedural_small", ["tracker.mask_threshold=2"])
    with pytest.raises(ConfigError, match="did you mean 'penalty_k'"):
        load_pipeline("procedural_small", ["tracker.penalty=0.1"])


def test_parts_are_chosen_by_type():
    without = load_pipeline("procedural_small", ["tracker=last_mask"])
    assert without.tracker == LastMaskChoice() and without.tracker.weights() == {}
    spelt = load_pipeline("procedural_small", ["tracker._delete_=True", "tracker.type=last_mask"])
    assert spelt == without
    assert isinstance(load_pipeline("procedural_small").tracker, SiamMaskChoice)
    with pytest.raises(ConfigError, match=r"tracker = .*: type is siammask or last_mask"):
        load_pipeline("procedural_small", ["tracker.type=siamese"])
    with pytest.raises(ConfigError, match=r"unknown key 'tracker\.checkpoint'; valid: memory, type"):
        load_pipeline("procedural_small", ["tracker.type=last_mask"])
    with pytest.raises(ConfigError, match=r"detector\.type = 'yolo'"):
        load_pipeline("procedural_small", ["detector.type=yolo"])
    with pytest.raises(ConfigError, match="did you mean 'score_threshold'"):
        load_pipeline("procedural_small", ["detector.score_treshold=0.1"])
