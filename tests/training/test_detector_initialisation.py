"""A detector's start from a COCO checkpoint: which row of which head comes from where."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from detector_models import narrow
from torch import nn

from detectors.class_maps import COCO, YOUTUBE_VIS_2019, YOUTUBE_VIS_2021
from detectors.mmdet_config import read_config, register_mmdet, without_downloads
from vis_pipeline.errors import WeightsError
from vis_pipeline.training.detector.initialisation import class_layers, start_from_detector
from vis_pipeline.weights.files import write_state_dict

STARTED_2019 = {
    "person": "person", "skateboard": "skateboard", "sedan": "car", "dog": "dog", "cat": "cat", "cow": "cow",
    "train": "train", "horse": "horse", "bear": "bear", "motorbike": "motorcycle", "giraffe": "giraffe",
    "surfboard": "surfboard", "airplane": "airplane", "truck": "truck", "zebra": "zebra", "elephant": "elephant",
    "snowboard": "snowboard", "boat": "boat", "tennis_racket": "tennis racket",
}  # fmt: skip
LAYERS = [f"roi_head.{head}.{stage}" for stage in range(3) for head in ("bbox_head", "mask_head")]


def _htc(classes: int, semantic: int) -> nn.Module:
    """A narrow HTC whose mask heads have a channel for each class."""
    from mmdet.registry import MODELS

    register_mmdet()
    model = narrow(without_downloads(read_config("detectors/htc_small_procedural").model))
    for box, mask in zip(model.roi_head.bbox_head, model.roi_head.mask_head, strict=True):
        box.num_classes = classes
        mask.update(num_classes=classes, class_agnostic=False)
    model.roi_head.semantic_head.num_classes = semantic
    built: nn.Module = MODELS.build(model)
    return built


@pytest.fixture(scope="module")
def coco() -> dict[str, torch.Tensor]:
    """Made weights of an HTC for COCO's 80 classes and 183 kinds of stuff, every value another."""
    generator = torch.Generator().manual_seed(0)
    tensors = _htc(80, 183).state_dict()
    return {
        key: torch.randn(value.shape, generator=generator) if value.is_floating_point() else value
        for key, value in tensors.items()
    }


@pytest.fixture(scope="module")
def target() -> nn.Module:
    return _htc(40, 41)


def _checkpoint(path: Path, tensors: dict[str, torch.Tensor], **meta: Any) -> Path:
    torch.save({"meta": meta, "state_dict": tensors}, path)
    return path


@pytest.mark.parametrize("meta", [{"dataset_meta": {"CLASSES": COCO}}, {"CLASSES": COCO}, {}])
def test_every_row_of_every_stage_comes_from_its_class(
    coco: dict[str, torch.Tensor], target: nn.Module, tmp_path: Path, meta: dict[str, Any]
) -> None:
    model = copy.deepcopy(target)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    report = start_from_detector(model, YOUTUBE_VIS_2019, _checkpoint(tmp_path / "htc.pth", coco, **meta))
    after = model.state_dict()
    for layer in LAYERS:
        kind = "fc_cls" if "bbox_head" in layer else "conv_logits"
        for part in ("weight", "bias"):
            key = f"{layer}.{kind}.{part}"
            for row, name in enumerate(YOUTUBE_VIS_2019):
                source = STARTED_2019.get(name)
                expected = before[key][row] if source is None else coco[key][COCO.index(source)]
                assert torch.equal(after[key][row], expected), (key, name)
            if kind == "fc_cls":
                assert torch.equal(after[key][40], coco[key][80])
    semantic = "roi_head.semantic_head.conv_logits.weight"
    assert torch.equal(after[semantic], before[semantic])
    rows = {f"{layer}.{'fc_cls' if 'bbox_head' in layer else 'conv_logits'}" for layer in LAYERS}
    for key in after:
        if key.rpartition(".")[0] not in rows and "semantic_head.conv_logits" not in key:
            assert torch.equal(after[key], coco[key]), key
    assert report.classes == STARTED_2019
    assert set(report.class_layers) == rows
    lines = str(report).splitlines()
    assert lines[0].startswith(f"weights {tmp_path}/htc.pth: 19 of 40 classes start from COCO, in 6 layers: person <- ")
    assert "sedan <- car, " in lines[0]
    assert lines[1].startswith("21 classes start afresh: giant_panda, lizard, parrot, ape, ")
    assert lines[2:] == [
        "tensors that start afresh: roi_head.semantic_head 2",
        "tensors of the file that are not used: roi_head.semantic_head 2",
    ]


def test_equal_shapes_do_not_hide_other_classes(target: nn.Module, tmp_path: Path) -> None:
    model, other = copy.deepcopy(target), copy.deepcopy(target)
    for value in other.parameters():
        nn.init.normal_(value)
    path = tmp_path / "ours.safetensors"
    write_state_dict(path, other.state_dict(), {"classes": YOUTUBE_VIS_2019})
    report = start_from_detector(model, YOUTUBE_VIS_2021, path)
    assert report.classes["mouse"] == "mouse"
    assert {"car", "bird", "flying_disc", "squirrel", "whale"} <= set(report.fresh_classes)
    for key in ("roi_head.bbox_head.2.fc_cls.bias", "roi_head.semantic_head.conv_logits.weight"):
        found, source = model.state_dict()[key], other.state_dict()[key].half().float()
        assert torch.equal(found[YOUTUBE_VIS_2021.index("zebra")], source[YOUTUBE_VIS_2019.index("zebra")])
        assert torch.equal(found[40], source[40])
    assert str(report).splitlines()[0].startswith(f"weights {path}: 35 of 40 classes start from ours.safetensors, in 7")


def test_a_file_that_names_no_classes_gives_no_rows(target: nn.Module, tmp_path: Path) -> None:
    model = copy.deepcopy(target)
    before = model.state_dict()["roi_head.bbox_head.0.fc_cls.weight"].clone()
    path = tmp_path / "unnamed.safetensors"
    write_state_dict(path, _htc(7, 183).state_dict(), {})
    report = start_from_detector(model, YOUTUBE_VIS_2019, path)
    assert torch.equal(model.state_dict()["roi_head.bbox_head.0.fc_cls.weight"], before)
    assert "0 of 40 classes start" in str(report) and "40 classes start afresh" in str(report)


def test_a_backbone_must_fit(coco: dict[str, torch.Tensor], target: nn.Module, tmp_path: Path) -> None:
    key = "backbone.layer1.0.conv1.weight"
    model = copy.deepcopy(target)
    before = model.state_dict()["neck.fpn_convs.0.conv.weight"].clone()
    wrong = _checkpoint(tmp_path / "wrong.pth", {**coco, key: torch.zeros(4, 8, 3, 3)})
    with pytest.raises(WeightsError, match=rf"wrong\.pth: {key} is \[4, 8, 3, 3\], the network has \[8, 8, 3, 3\]"):
        start_from_detector(model, YOUTUBE_VIS_2019, wrong)
    missing = _checkpoint(tmp_path / "no.pth", {name: value for name, value in coco.items() if name != key})
    with pytest.raises(WeightsError, match=rf"{key} is missing"):
        start_from_detector(model, YOUTUBE_VIS_2019, missing)
    assert torch.equal(model.state_dict()["neck.fpn_convs.0.conv.weight"], before)


@pytest.mark.parametrize(
    "key", ["neck.fpn_convs.0.conv.weight", "rpn_head.rpn_cls.bias", "roi_head.bbox_head.1.shared_fcs.0.bias"]
)
def test_a_shape_that_other_classes_do_not_explain_is_an_error(
    coco: dict[str, torch.Tensor], target: nn.Module, tmp_path: Path, key: str
) -> None:
    wrong = _checkpoint(tmp_path / "wrong.pth", {**coco, key: torch.zeros(3)})
    shape = re.escape(str(list(coco[key].shape)))
    with pytest.raises(WeightsError, match=rf"wrong\.pth: {key} is \[3\], the network has {shape}"):
        start_from_detector(copy.deepcopy(target), YOUTUBE_VIS_2019, wrong)


def test_class_agnostic_masks_have_no_rows_of_classes() -> None:
    from mmdet.registry import MODELS

    register_mmdet()
    small = MODELS.build(without_downloads(read_config("detectors/htc_small_procedural").model))
    assert class_layers(small, 8) == {
        "roi_head.bbox_head.0.fc_cls": 1,
        "roi_head.bbox_head.1.fc_cls": 1,
        "roi_head.bbox_head.2.fc_cls": 1,
        "roi_head.semantic_head.conv_logits": 1,
    }
