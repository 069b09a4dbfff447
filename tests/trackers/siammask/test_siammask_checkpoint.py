from dataclasses import asdict, replace

import pytest
import torch
from siammask_scenes import random_network

from vis_pipeline.errors import WeightsError
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.checkpoint import infer_architecture, load_siammask, save_official, save_siammask
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.weights.files import read_metadata, read_state_dict, write_state_dict
from vis_pipeline.weights.registry import resolve


@pytest.fixture
def tensors():
    return random_network("small").state_dict()


def saved(path, tensors, prefix=""):
    torch.save({"state_dict": {prefix + name: value for name, value in tensors.items()}}, path)
    return path


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_wrapped_checkpoint_loads(tmp_path, tensors, prefix):
    network = load_siammask(saved(tmp_path / "net.pth", tensors, prefix))
    assert network.architecture == ARCHITECTURES["small"]
    assert not network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, tensors[name])


def test_half_precision_is_cast(tmp_path, tensors):
    write_state_dict(tmp_path / "net.safetensors", tensors, {"architecture": "small"})
    network = load_siammask(tmp_path / "net.safetensors")
    assert all(value.dtype == torch.float32 for value in network.parameters())


def test_metadata_may_describe_an_architecture_of_ones_own(tmp_path):
    architecture = replace(ARCHITECTURES["small"], widths=(8, 16, 24), coarse_mask=False)
    path = tmp_path / "net.safetensors"
    write_state_dict(path, SiamMask(architecture).state_dict(), {"architecture": asdict(architecture)})
    assert load_siammask(path).architecture == architecture


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_architectures_are_told_by_their_keys(name):
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in SiamMask(ARCHITECTURES[name]).state_dict().items()}
    assert infer_architecture(shapes) == ARCHITECTURES[name]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda t: t.pop("refine_model.post1.bias"), "missing key refine_model.post1.bias"),
        (lambda t: t.update({"refine_model.extra": torch.zeros(1)}), "unexpected key refine_model.extra"),
        (
            lambda t: t.update({"rpn_model.cls.head.3.bias": torch.zeros(12)}),
            r"wrong shape of rpn_model.cls.head.3.bias: \[12\], expected \[10\]",
        ),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_named(tmp_path, tensors, fault, message):
    fault(tensors)
    with pytest.raises(WeightsError, match=message) as error:
        load_siammask(saved(tmp_path / "net.pth", tensors))
    assert "net.pth" in str(error.value)


def test_weights_of_another_architecture_are_told_what_is_known(tmp_path, tensors):
    path = saved(tmp_path / "net.pth", {**tensors, "features.features.layer1.0.conv1.weight": torch.zeros(24, 8, 3, 3)})
    with pytest.raises(WeightsError) as caught:
        load_siammask(path)
    assert str(caught.value) == (
        f"weights {path}: are of none of the architectures {', '.join(ARCHITECTURES)}, nearest of small "
        "(wrong shape of features.features.layer1.0.conv1.weight: [24, 8, 3, 3], expected [24, 16, 3, 3]); "
        "give others as tracker.checkpoint"
    )
    write_state_dict(tmp_path / "net.safetensors", tensors, {"architecture": "resnet50"})
    with pytest.raises(WeightsError, match=r"are not of the architecture that their metadata states \(missing key"):
        load_siammask(tmp_path / "net.safetensors")


def test_a_detectors_weights_are_not_siammasks():
    path = resolve("bundled:htc_small")
    with pytest.raises(WeightsError, match=r"a detector's \(detector\.checkpoint\), not SiamMask's") as caught:
        load_siammask(path)
    assert str(path) in str(caught.value)


def test_unknown_metadata_is_an_error(tmp_path, tensors):
    write_state_dict(tmp_path / "net.safetensors", tensors, {"architecture": "enormous"})
    with pytest.raises(WeightsError, match="enormous"):
        load_siammask(tmp_path / "net.safetensors")


def outputs(network):
    generator = torch.Generator().manual_seed(2)
    crops = torch.randint(0, 256, (1, 3, 255, 255), generator=generator).float()
    with torch.inference_mode():
        template, search = network.template(crops[..., 64:191, 64:191]), network.search(crops)
        correlation = network.mask_correlation(template, search)
        position = torch.tensor([[0, 12, 11]])
        return *network.score_and_locate(template, search), network.refine_at(search, correlation, position)


def test_both_saved_forms_give_the_same_outputs(tmp_path):
    network = random_network("small").to(memory_format=torch.channels_last)
    network.load_state_dict(
        {name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()}
    )
    save_siammask(tmp_path / "ours.safetensors", network, {"training": {"step": 3}})
    save_official(tmp_path / "official.pth", network)
    assert read_metadata(tmp_path / "ours.safetensors") == {"training": {"step": 3}, "architecture": "small"}
    expected = outputs(network.eval())
    for name in ("ours.safetensors", "official.pth"):
        loaded = load_siammask(tmp_path / name)
        assert loaded.architecture == network.architecture
        for found, wanted in zip(outputs(loaded), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_the_official_form_is_a_wrapped_float32_state_dict(tmp_path):
    network = random_network("small").bfloat16()
    save_official(tmp_path / "net.pth", network)
    content = torch.load(tmp_path / "net.pth", weights_only=True)
    assert list(content) == ["state_dict"]
    assert list(content["state_dict"]) == list(network.state_dict())
    for name, value in content["state_dict"].items():
        assert value.dtype == (torch.int64 if name.endswith("num_batches_tracked") else torch.float32)
        assert torch.equal(value, network.state_dict()[name].to(value.dtype))
        assert value.is_contiguous()


def test_an_architecture_of_ones_own_survives_saving(tmp_path):
    architecture = replace(ARCHITECTURES["small"], widths=(8, 16, 24))
    save_siammask(tmp_path / "net.safetensors", SiamMask(architecture))
    assert load_siammask(tmp_path / "net.safetensors").architecture == architecture


@pytest.mark.shared
def test_the_saved_keys_are_the_official_releases(shared, tmp_path):
    official = read_state_dict(shared / "weights/siammask_r50_official_keys_fp16.pth")
    save_official(tmp_path / "net.pth", SiamMask(ARCHITECTURES["resnet50"]))
    saved_tensors = torch.load(tmp_path / "net.pth", weights_only=True)["state_dict"]
    assert {name: value.shape for name, value in saved_tensors.items()} == {
        name: value.shape for name, value in official.items()
    }


@pytest.mark.shared
def test_the_official_keys_load_strictly(shared):
    network = load_siammask(shared / "weights/siammask_r50_official_keys_fp16.pth")
    assert network.architecture == ARCHITECTURES["resnet50"]
