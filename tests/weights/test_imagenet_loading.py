"""Backbones start from published weights: the right tensors, the right function, and a report of both."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from mmdet.models.backbones import ResNet
from test_checkpoint_reading import _Touch
from torch import Tensor

from vis_pipeline.errors import WeightsError
from vis_pipeline.trackers.siammask.architectures import Architecture
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.weights.files import write_state_dict
from vis_pipeline.weights.imagenet import load_backbone
from vis_pipeline.weights.normalisation import CAFFE, RAW_BGR, TORCHVISION
from vis_pipeline.weights.pretrained import learned_like_caffe, read_pretrained, write_pretrained

TINY = Architecture(block="bottleneck", stem_width=4, widths=(4, 8, 16), depths=(3, 4, 6), adjust_width=8, head_width=8)
COUNTER = "num_batches_tracked"


def tiny_resnet(style: str = "pytorch", **options: Any) -> ResNet:
    """mmdet's ResNet-50 of the same widths as `TINY`."""
    backbone = ResNet(50, base_channels=4, stem_channels=4, style=style, frozen_stages=-1, **options)
    backbone.eval()
    return backbone


@pytest.fixture
def learned() -> dict[str, Tensor]:
    """What a training could have left, with a classifier, by torchvision's names."""
    generator = torch.Generator().manual_seed(3)
    tensors = {}
    for name, value in tiny_resnet().state_dict().items():
        if name.endswith(COUNTER):
            tensors[name] = torch.tensor(7)
        elif value.ndim == 4:
            tensors[name] = torch.randn(value.shape, generator=generator) / value[0].numel() ** 0.5
        else:
            tensors[name] = 0.5 + torch.rand(value.shape, generator=generator)
    return {**tensors, "fc.weight": torch.ones(5, 128), "fc.bias": torch.ones(5)}


@pytest.fixture
def trunk() -> torch.nn.Module:
    torch.manual_seed(0)
    return SiamMask(TINY).features.features.eval()


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def test_every_form_of_a_checkpoint_gives_mmdets_backbone_the_same_tensors(
    tmp_path: Path, learned: dict[str, Tensor]
) -> None:
    behind = {f"backbone.{name}": value for name, value in learned.items() if not name.startswith("fc.")}
    files = [
        saved(tmp_path / "torchvision.pth", learned),
        saved(
            tmp_path / "mmpretrain.pth",
            {"meta": {"epoch": 100}, "state_dict": behind | {"head.fc.bias": torch.ones(5)}},
        ),
        saved(tmp_path / "parallel.pth", {"state_dict": {f"module.{name}": value for name, value in behind.items()}}),
        tmp_path / "half.safetensors",
    ]
    write_state_dict(files[-1], behind, {"classes": ["a"]})
    for path in files:
        backbone = tiny_resnet()
        report = load_backbone(backbone, path, TORCHVISION)
        assert not report.kept
        assert not report.remarks
        exact = path.suffix == ".pth"
        for name, value in backbone.state_dict().items():
            expected = learned[name] if exact else learned[name].half().float()
            assert torch.equal(value, torch.zeros_like(value) if name.endswith(COUNTER) else expected), name


def test_the_trunk_computes_on_raw_images_what_the_learned_network_does_on_normalised_ones(
    tmp_path: Path, learned: dict[str, Tensor], trunk: torch.nn.Module
) -> None:
    load_backbone(trunk, saved(tmp_path / "net.pth", learned))
    plain = SiamMask(TINY).features.features.eval()
    own = plain.state_dict()
    for name in own:
        if own[name].shape == learned[name].shape:
            own[name] = learned[name]
        else:
            own[name] = F.pad(learned[name], (1, 1, 1, 1))
    plain.load_state_dict(own)
    bgr = torch.randint(0, 256, (2, 3, 127, 127), generator=torch.Generator().manual_seed(1)).float()
    mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
    normalised = (bgr.flip(1) - mean[:, None, None]) / std[:, None, None]
    with torch.no_grad():
        for found, expected in zip(trunk(bgr), plain(normalised), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


def test_a_1x1_shortcut_in_a_3x3_kernel_is_the_same_function(
    tmp_path: Path, learned: dict[str, Tensor], trunk: torch.nn.Module
) -> None:
    load_backbone(trunk, saved(tmp_path / "net.pth", learned))
    features = torch.randn(1, 16, 31, 31)
    striding = trunk.layer2[0].downsample[0]
    expected = F.conv2d(features[..., 1:-1, 1:-1], learned["layer2.0.downsample.0.weight"], stride=2)
    torch.testing.assert_close(striding(features), expected)
    features = torch.randn(1, 32, 15, 15)
    dilating = trunk.layer3[0].downsample[0]
    torch.testing.assert_close(dilating(features), F.conv2d(features, learned["layer3.0.downsample.0.weight"]))


def test_the_report_in_words(tmp_path: Path, learned: dict[str, Tensor], trunk: torch.nn.Module) -> None:
    del learned["layer3.5.conv3.weight"], learned["layer3.5.bn3.bias"]
    before = trunk.state_dict()["layer3.5.conv3.weight"].clone()
    path = saved(tmp_path / "net.pth", learned)
    report = load_backbone(trunk, path)
    assert torch.equal(trunk.state_dict()["layer3.5.conv3.weight"], before)
    assert str(report) == (
        f"weights {path}: loaded 213 of 215 tensors (conv1 1, bn1 4, layer1 50, layer2 65, layer3 93); "
        "conv1 and bn1 refitted from RGB minus 123.675/116.28/103.53 over 58.395/57.12/57.375 to BGR 0..255; "
        "1x1 shortcuts put into the middle of 3x3 kernels: layer2 1, layer3 1; "
        "left as they were, not in the file: layer3 2; not used from the file: layer4 50, fc 2."
    )
    assert report.kept == {"layer3.5.conv3.weight": "not in the file", "layer3.5.bn3.bias": "not in the file"}
    assert {"fc.weight", "layer4.0.conv1.weight"} <= set(report.unused)


def test_weights_learned_like_caffe(tmp_path: Path, learned: dict[str, Tensor], trunk: torch.nn.Module) -> None:
    path = tmp_path / "caffe.safetensors"
    write_pretrained(learned_like_caffe(read_pretrained(saved(tmp_path / "net.pth", learned))), path)
    again = read_pretrained(path)
    assert (again.style, again.normalisation) == ("caffe", CAFFE)
    report = load_backbone(trunk, path)
    assert "conv1 and bn1 refitted from BGR minus 103.939/116.779/123.68 to BGR 0..255" in report.remarks
    assert "learned with the stride in the 1x1 convolutions, which this backbone has in the 3x3" in report.remarks
    assert not load_backbone(tiny_resnet("caffe"), path, CAFFE).remarks
    with pytest.raises(
        WeightsError, match=r"set model\.backbone\.style='caffe' and model\.data_preprocessor: mean=\[103"
    ):
        load_backbone(tiny_resnet(), path, CAFFE)


def test_a_padding_backbone_whose_images_have_another_zero_is_told_what_to_set(
    tmp_path: Path, learned: dict[str, Tensor]
) -> None:
    path = saved(tmp_path / "net.pth", learned)
    with pytest.raises(WeightsError, match=r"learned on RGB .*, the backbone gets BGR 0\.\.255; set .*bgr_to_rgb=True"):
        load_backbone(tiny_resnet(), path, RAW_BGR)


def test_a_trackers_trunk_starts_another_tracker(tmp_path: Path, trunk: torch.nn.Module) -> None:
    torch.manual_seed(5)
    other = SiamMask(TINY)
    report = load_backbone(trunk, saved(tmp_path / "tracker.pth", {"state_dict": other.state_dict()}))
    assert not report.kept
    assert not report.remarks
    assert "refine_model.post2.bias" in report.unused
    for name, value in other.features.features.state_dict().items():
        assert torch.equal(trunk.state_dict()[name], value), name


def test_what_does_not_fit_is_named_and_nothing_is_loaded(
    tmp_path: Path, learned: dict[str, Tensor], trunk: torch.nn.Module
) -> None:
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    learned["layer2.1.conv2.weight"] = torch.zeros(8, 9, 3, 3)
    with pytest.raises(WeightsError, match=r"net\.pth: layer2\.1\.conv2\.weight is \[8, 9, 3, 3\], .* \[8, 8, 3, 3\]"):
        load_backbone(trunk, saved(tmp_path / "net.pth", learned))
    assert all(torch.equal(value, before[name]) for name, value in trunk.state_dict().items())
    grey = {**learned, "conv1.weight": torch.zeros(4, 1, 7, 7)}
    with pytest.raises(WeightsError, match=r"conv1\.weight is \[4, 1, 7, 7\], the backbone has \[4, 3, 7, 7\]"):
        load_backbone(trunk, saved(tmp_path / "grey.pth", grey))
    with pytest.raises(WeightsError, match="holds no ResNet"):
        load_backbone(trunk, saved(tmp_path / "head.pth", {"fc.weight": torch.ones(2)}))
    with pytest.raises(WeightsError, match="the Linear has no conv1 and bn1"):
        load_backbone(torch.nn.Linear(2, 2), saved(tmp_path / "net.pth", learned))
    with pytest.raises(WeightsError, match="no such file"):
        load_backbone(trunk, tmp_path / "none.pth")


def test_code_in_a_file_is_not_run(tmp_path: Path, learned: dict[str, Tensor], trunk: torch.nn.Module) -> None:
    touched = tmp_path / "touched"
    path = saved(tmp_path / "crafted.pth", {"state_dict": learned, "meta": _Touch(touched)})
    with pytest.raises(WeightsError, match="not a readable checkpoint"):
        load_backbone(trunk, path)
    assert not touched.exists()


@pytest.mark.parametrize("change", [{"style": "tensorflow"}, {"mean": [1, 2]}, {"order": 3}])
def test_damaged_metadata_are_named(tmp_path: Path, learned: dict[str, Tensor], change: dict[str, object]) -> None:
    declared = {"style": "caffe", "order": "bgr", "mean": [0, 0, 0], "std": [1, 1, 1]} | change
    path = tmp_path / "net.safetensors"
    write_state_dict(path, learned, {"pretraining": declared})
    with pytest.raises(WeightsError, match=r"net\.safetensors: its metadata 'pretraining' is damaged"):
        read_pretrained(path)
