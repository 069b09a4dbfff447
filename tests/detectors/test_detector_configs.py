"""The packaged detector configs: what they inherit and that mmdet builds them."""

from typing import Any

import pytest

from detectors.class_maps import YOUTUBE_VIS_2019, YOUTUBE_VIS_2021
from detectors.mmdet_config import class_count, read_config, register_mmdet, set_classes, without_downloads
from vis_pipeline.errors import ConfigError

OURS = {
    "detectors/htc_r50_youtube_vis_2019": "mmdet::htc/htc_r50_fpn_1x_coco.py",
    "detectors/htc_r50_youtube_vis_2021": "mmdet::htc/htc_r50_fpn_1x_coco.py",
    "detectors/htc_x101_64x4d_dcn_youtube_vis_2019": (
        "mmdet::htc/htc_x101-64x4d-dconv-c3-c5_fpn_ms-400-1400-16xb1-20e_coco.py"
    ),
    "detectors/htc_x101_64x4d_dcn_youtube_vis_2021": (
        "mmdet::htc/htc_x101-64x4d-dconv-c3-c5_fpn_ms-400-1400-16xb1-20e_coco.py"
    ),
}


def _plain(value: Any) -> Any:
    if hasattr(value, "items"):
        return {key: _plain(item) for key, item in value.items() if key != "_scope_"}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("ours", OURS)
def test_youtube_vis_configs_are_mmdets_but_for_classes_and_semantics(ours: str) -> None:
    expected = _plain(read_config(OURS[ours]).model)
    expected["data_preprocessor"].pop("pad_seg")
    for name in ("semantic_head", "semantic_roi_extractor"):
        expected["roi_head"].pop(name)
    for head in [*expected["roi_head"]["bbox_head"], *expected["roi_head"]["mask_head"]]:
        head["num_classes"] = 40
    assert _plain(read_config(ours).model) == expected


@pytest.mark.parametrize("year, classes", [(2019, YOUTUBE_VIS_2019), (2021, YOUTUBE_VIS_2021)])
@pytest.mark.parametrize("network", ["r50", "x101_64x4d_dcn"])
def test_classes_are_those_of_the_year(network: str, year: int, classes: tuple[str, ...]) -> None:
    assert tuple(read_config(f"detectors/htc_{network}_youtube_vis_{year}").classes) == classes


@pytest.mark.parametrize(
    "name",
    [
        "detectors/htc_r50_youtube_vis_2019",
        "detectors/htc_r50_coco",
        "detectors/htc_small_procedural",
        pytest.param("detectors/htc_x101_64x4d_dcn_youtube_vis_2021", marks=pytest.mark.slow),
        pytest.param("detectors/htc_x101_64x4d_dcn_coco", marks=pytest.mark.slow),
    ],
)
def test_mmdet_builds_them_without_downloads(name: str) -> None:
    from mmdet.registry import MODELS

    register_mmdet()
    model = MODELS.build(without_downloads(read_config(name).model))
    assert type(model).__name__ == "HybridTaskCascade"
    assert len(model.roi_head.bbox_head) == len(model.roi_head.mask_head) == 3


def test_without_downloads_clears_only_checkpoints() -> None:
    model = {
        "backbone": {"init_cfg": {"type": "Pretrained", "checkpoint": "torchvision://resnet50"}},
        "heads": [{"init_cfg": {"type": "Kaiming"}}, {"init_cfg": {"type": "Pretrained", "checkpoint": "x.pth"}}],
    }
    assert _plain(without_downloads(model)) == {
        "backbone": {"init_cfg": None},
        "heads": [{"init_cfg": {"type": "Kaiming"}}, {"init_cfg": None}],
    }


def test_classes_reach_the_heads_of_one_and_of_two_stages() -> None:
    for name in ("mmdet::solo/solo_r50_fpn_1x_coco.py", "mmdet::yolact/yolact_r50_1xb8-55e_coco.py"):
        config = read_config(name)
        set_classes(config, ["duck", "eel"])
        assert class_count(config.model) == 2
    config = read_config("detectors/htc_small_procedural")
    set_classes(config, ["duck", "eel"])
    heads = config.model.roi_head
    assert [head.num_classes for head in (*heads.bbox_head, *heads.mask_head)] == [2] * 6
    assert heads.semantic_head.num_classes == 3


def test_options_set_keys_that_exist_and_refuse_others() -> None:
    config = read_config("detectors/htc_small_procedural", {"model.test_cfg.rcnn.score_thr": 0.5})
    assert config.model.test_cfg.rcnn.score_thr == 0.5
    with pytest.raises(ConfigError, match=r"no key model\.backbon; did you mean 'backbone'\?"):
        read_config("detectors/htc_small_procedural", {"model.backbon.depth": 34})
    config = read_config("detectors/htc_small_procedural", {"param_scheduler.1.eta_min": 0.1})
    assert config.param_scheduler[1].eta_min == 0.1


@pytest.mark.parametrize(
    "name, words", [("mmdet::htc/htc_r50_fpn_2x_coco.py", "did you mean"), ("nowhere.py", "no such")]
)
def test_unknown_configs(name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_config(name)


def test_the_fine_tuning_differs_from_the_training_only_where_it_says_so() -> None:
    small, fine = (
        _plain(read_config(f"detectors/{name}")._cfg_dict) for name in ("htc_small_procedural", "htc_small_finetune")
    )
    differing = {key for key in fine if fine[key] != small.get(key)}
    assert differing == {
        "classes", "init_weights", "frame_scale", "train_pipeline", "train_dataloader", "max_iters", "warmup_iters",
        "train_cfg", "optim_wrapper", "param_scheduler",
    }  # fmt: skip
    assert fine["model"] == small["model"]
    assert fine["optim_wrapper"]["optimizer"] == {**small["optim_wrapper"]["optimizer"], "lr": 5e-4}


def test_the_schedule_of_the_bundled_weights_is_that_of_their_card() -> None:
    mixed = read_config("recipes/htc_small_mixed")
    assert mixed.train_cfg.max_iters == mixed.param_scheduler[1].end == 13000
    assert [split["weight"] for split in mixed.train_dataloader.dataset.splits] == [0.45, 0.35, 0.1, 0.1]
    config = read_config("detectors/htc_small_procedural")
    assert (config.train_cfg.max_iters, config.train_dataloader.batch_size, config.randomness.seed) == (10000, 4, 20)
    assert config.optim_wrapper.optimizer == {"type": "AdamW", "lr": 1e-3, "betas": (0.9, 0.99), "weight_decay": 0.02}
    warm_up, decay = config.param_scheduler
    assert (warm_up.type, warm_up.end, decay.type, decay.eta_min) == ("LinearLR", 300, "CosineAnnealingLR", 1e-6)
