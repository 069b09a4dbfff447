"""A pipeline's settings, from its config."""

import pytest

from vis_pipeline.errors import ConfigError, WeightsError
from vis_pipeline.runs.settings import load_pipeline
from vis_pipeline.trackers.choices import LastMaskChoice, MaskHeadChoice, SecondStageChoice, SiamMaskChoice
from vis_pipeline.trackers.siam_rcnn.settings import ArgmaxSettings, TdpaSettings
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
    with pytest.raises(ConfigError, match=r"tracker = .*: type is siammask, siam_rcnn or last_mask"):
        load_pipeline("procedural_small", ["tracker.type=siamese"])
    with pytest.raises(ConfigError, match=r"unknown key 'tracker\.checkpoint'; valid: memory, type"):
        load_pipeline("procedural_small", ["tracker.type=last_mask"])
    with pytest.raises(ConfigError, match=r"detector\.type = 'yolo'"):
        load_pipeline("procedural_small", ["detector.type=yolo"])
    with pytest.raises(ConfigError, match="did you mean 'score_threshold'"):
        load_pipeline("procedural_small", ["detector.score_treshold=0.1"])


def test_siam_rcnn_s_parts_are_chosen_by_type():
    plain = load_pipeline("procedural_siam_rcnn").tracker
    assert (plain.needs_regions, plain.selection, plain.box_to_mask) == (True, TdpaSettings(), MaskHeadChoice())
    given = load_pipeline("procedural_siam_rcnn", ["tracker.selection=argmax", "tracker.targets.max_targets=3"]).tracker
    assert (given.selection, given.targets.max_targets) == (ArgmaxSettings(), 3)
    masks = ["_delete_=True", "type=siammask", "checkpoint=bundled:siammask_small"]
    segmented = load_pipeline("procedural_siam_rcnn", [f"tracker.box_to_mask.{part}" for part in masks]).tracker
    assert segmented.box_to_mask == SecondStageChoice("bundled:siammask_small")
    assert [path.name for path in segmented.box_to_mask.weights().values()] == ["siammask_small.safetensors"]


def test_what_siam_rcnn_cannot_be_given_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"tracker\.selection.*type is tdpa, argmax or short_term"):
        load_pipeline("procedural_siam_rcnn", ["tracker.selection=best"])
    with pytest.raises(ConfigError, match=r"tracker\.box_to_mask.*type is mask_head or siammask"):
        load_pipeline("procedural_siam_rcnn", ["tracker.box_to_mask=deeplab"])
    with pytest.raises(ConfigError, match="did you mean 'max_targets'"):
        load_pipeline("procedural_siam_rcnn", ["tracker.targets.max_target=3"])
    missing = load_pipeline("procedural_siam_rcnn", [f"tracker.checkpoint={tmp_path}/none.safetensors"]).tracker
    with pytest.raises(WeightsError, match=r"none\.safetensors"):
        missing.weights()


@pytest.mark.parametrize("year", [2019, 2021])
def test_the_videos_of_youtube_vis_are_one_shot_each(year: int) -> None:
    assert load_pipeline(f"youtube_vis_{year}_coco", ["tracker.checkpoint=any"]).tracking.shots.cut_likeness == 0
    assert load_pipeline("real_small").tracking.shots.cut_likeness > 0
