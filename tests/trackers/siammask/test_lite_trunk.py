"""EfficientNet-Lite0 as SiamMask's trunk: which pixels its maps sample, and its weights."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from siammask_scenes import random_network
from torch import Tensor, nn

from vis_pipeline.backbones.efficientnet_lite import EfficientNetLite0
from vis_pipeline.errors import WeightsError
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.checkpoint import load_siammask, save_siammask
from vis_pipeline.trackers.siammask.lite_trunk import LiteTrunk
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.settings import PRESETS
from vis_pipeline.training.tracker.recipe import BackboneStart
from vis_pipeline.training.tracker.start import start_from

LITE0 = ARCHITECTURES["lite0"]
LEVELS = (1, 2, 2, 6)


@pytest.fixture(scope="module")
def network() -> SiamMask:
    return random_network("lite0")


def crops(side: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (1, 3, side, side), generator=torch.Generator().manual_seed(seed)).float()


def literal_maps(tensors: dict[str, Tensor], x: Tensor) -> list[Tensor]:
    """The four maps of crops, from the trunk's tensors: where it strides, the pixels to sample are cut out first."""

    def filtered(values: Tensor, name: str, dilation: int = 1, window: slice | None = None) -> Tensor:
        kernel = tensors[f"{name}.conv.weight"]
        groups = 1 if kernel.shape[1] == values.shape[1] else values.shape[1]
        reach = dilation * (kernel.shape[-1] // 2)
        values = F.conv2d(F.pad(values, [reach] * 4), kernel, None, 1, 0, dilation, groups)
        values = values if window is None else values[..., window, window]
        part = {key: tensors[f"{name}.norm.{key}"][:, None, None] for key in ("weight", "bias")}
        mean, variance = (tensors[f"{name}.norm.running_{key}"][:, None, None] for key in ("mean", "var"))
        return (values - mean) / (variance + 1e-3).sqrt() * part["weight"] + part["bias"]

    # The crop's pixels 3, 5, ...; every second of those; from the second of those on every second again.
    windows = {"stem": slice(3, -3, 2), "levels.1.0": slice(0, None, 2), "levels.2.0": slice(1, -1, 2)}
    x = filtered(x, "stem", window=windows["stem"]).clamp(0, 6)
    found = []
    for level, blocks in enumerate(LEVELS):
        for block in range(blocks):
            name, before = f"levels.{level}.{block}", x
            dilation = 2 if level == 3 and block > 0 else 1
            if level > 0:
                x = filtered(x, f"{name}.expand").clamp(0, 6)
            x = filtered(x, f"{name}.depthwise", dilation, windows.get(name)).clamp(0, 6)
            x = filtered(x, f"{name}.project")
            x = x + before if x.shape == before.shape and block > 0 else x
        found.append(x)
    return found


@pytest.mark.parametrize(("side", "sides"), [(127, [61, 31, 15, 15]), (255, [125, 63, 31, 31])])
@torch.no_grad()
def test_maps_sample_the_pixels_that_the_releases_resnet_does(network: SiamMask, side: int, sides: list[int]) -> None:
    trunk = network.features.features
    found = trunk(crops(side))
    assert [values.shape[-1] for values in found] == sides
    for values, expected in zip(found, literal_maps(trunk.state_dict(), crops(side)), strict=True):
        torch.testing.assert_close(values, expected, rtol=1e-3, atol=1e-3)


def test_every_map_has_the_middle_pixel_in_its_middle(network: SiamMask) -> None:
    """What the middle of a map depends on lies evenly about the middle of the crop, as in the release's ResNet."""
    trunk = network.features.features
    image = crops(127).requires_grad_()
    for values in trunk(image)[:3]:
        middle = values.shape[-1] // 2
        (gradient,) = torch.autograd.grad(values[..., middle, middle].sum(), image, retain_graph=True)
        rows, columns = torch.nonzero(gradient.abs().sum((0, 1)) > 0, as_tuple=True)
        for places in (rows, columns):
            assert (places.min() + places.max()) == 2 * 63


@torch.no_grad()
def test_an_exemplar_has_the_features_of_a_search_crop_away_from_the_borders(network: SiamMask) -> None:
    whole = network.search(crops(255))
    inner = network.search(crops(255)[..., 64:191, 64:191])
    torch.testing.assert_close(whole.conv1[..., 33:92, 33:92], inner.conv1[..., 1:-1, 1:-1])
    torch.testing.assert_close(whole.layer1[..., 20:43, 20:43], inner.layer1[..., 4:27, 4:27])
    torch.testing.assert_close(whole.layer2[..., 12:19, 12:19], inner.layer2[..., 4:11, 4:11])


@torch.no_grad()
def test_the_border_that_padding_reaches_most_is_cut_off_an_exemplar(network: SiamMask) -> None:
    """Level 4 pads, so an exemplar's features differ from a search crop's; the cut keeps those that differ less."""
    trunk = network.features.features
    whole = trunk(crops(255))[3][..., 8:23, 8:23]
    inner = trunk(crops(255)[..., 64:191, 64:191])[3]
    apart = (whole - inner).abs().mean((0, 1))
    kept = apart[4:-4, 4:-4]
    assert kept.mean() < 0.95 * (apart.sum() - kept.sum()) / (15**2 - 7**2)


def published_names(trunk: EfficientNetLite0) -> dict[str, Tensor]:
    """A trunk's tensors under the names of the published file."""
    parts = {"expand": ("_expand_conv", "_bn0"), "depthwise": ("_depthwise_conv", "_bn1")}
    parts["project"] = ("_project_conv", "_bn2")
    found = {}
    for name, value in trunk.state_dict().items():
        owner, place, kind = name.rsplit(".", 2)
        if owner == "stem":
            found[f"{'_conv_stem' if place == 'conv' else '_bn0'}.{kind}"] = value
            continue
        _, level, block, part = owner.split(".")
        number = sum((1, 2, 2, 6, 5)[: int(level)]) + int(block)
        found[f"_blocks.{number}.{parts[part][place == 'norm']}.{kind}"] = value
    return found


@torch.no_grad()
def test_plain_bgr_gives_what_normalised_rgb_gives_the_published_weights(network: SiamMask, tmp_path: Path) -> None:
    reference = LiteTrunk(LITE0).eval()
    reference.load_state_dict(network.features.features.state_dict())
    # As if those had been learned on (RGB - 127) / 128: the stem's statistics must fit such images.
    reference.stem.norm.running_mean.mul_(1 / 128)
    reference.stem.norm.running_var.mul_(1 / 128**2)
    file = tmp_path / "lite0.pth"
    torch.save(published_names(reference), file)
    started = SiamMask(LITE0).eval()
    report = start_from(started, BackboneStart(file))
    assert not report.kept
    plain = crops(127, seed=3)
    expected = reference((plain.flip(1) - 127) / 128)
    for found, values in zip(started.features.features(plain), expected, strict=True):
        torch.testing.assert_close(found, values, rtol=1e-3, atol=1e-3)


def test_a_file_that_lacks_a_tensor_of_the_trunk_is_named(tmp_path: Path) -> None:
    tensors = published_names(LiteTrunk(LITE0))
    del tensors["_blocks.10._project_conv.weight"]
    torch.save(tensors, tmp_path / "lite0.pth")
    with pytest.raises(WeightsError, match=r"lite0.pth: missing key levels.3.5.project.conv.weight"):
        start_from(SiamMask(LITE0), BackboneStart(tmp_path / "lite0.pth"))


@torch.no_grad()
def test_saved_weights_load_strictly_and_predict_alike(network: SiamMask, tmp_path: Path) -> None:
    path = tmp_path / "lite0.safetensors"
    save_siammask(path, network)
    again = load_siammask(path)
    assert again.architecture == LITE0
    template, other = network.template(crops(127)), again.template(crops(127))
    assert float((template - other).abs().max()) < 0.02 * float(template.abs().max())


@torch.no_grad()
def test_a_tracker_predicts_with_folded_norms_and_leaves_the_network_as_it_was(network: SiamMask) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    predicting = SiamMaskPredictor(network, PRESETS["davis"]).network
    assert not any(isinstance(module, nn.BatchNorm2d) for module in predicting.features.features.modules())
    for side in (127, 255):
        expected, found = network.search(crops(side)), predicting.search(crops(side))
        for name in ("conv1", "layer1", "layer2", "adjusted"):
            torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=1e-3, atol=1e-3)
    assert before.keys() == network.state_dict().keys()
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in before.items())


def test_other_widths_than_the_publications_are_refused() -> None:
    with pytest.raises(ValueError, match="EfficientNet-Lite0 has the widths"):
        SiamMask(replace(LITE0, widths=(24, 48, 112)))
    with pytest.raises(ValueError, match="the depths"):
        SiamMask(replace(LITE0, depths=(2, 2, 3)))


def test_each_convolution_that_strides_needs_its_padding() -> None:
    with pytest.raises(ValueError, match="strided_padding"):
        EfficientNetLite0(levels=(1, 2), output_stride=8, strided_padding=(-2, 1, 1))
