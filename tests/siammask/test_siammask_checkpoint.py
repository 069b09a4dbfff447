from dataclasses import asdict, replace

import pytest
import torch
from siammask_scenes import random_network

from vis_pipeline.errors import WeightsError
from vis_pipeline.siammask.architectures import ARCHITECTURES
from vis_pipeline.siammask.checkpoint import infer_architecture, load_siammask
from vis_pipeline.siammask.network import SiamMask
from vis_pipeline.weights.files import write_state_dict


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


def test_unknown_metadata_is_an_error(tmp_path, tensors):
    write_state_dict(tmp_path / "net.safetensors", tensors, {"architecture": "enormous"})
    with pytest.raises(WeightsError, match="enormous"):
        load_siammask(tmp_path / "net.safetensors")


@pytest.mark.shared
def test_the_official_keys_load_strictly(shared):
    network = load_siammask(shared / "weights/siammask_r50_official_keys_fp16.pth")
    assert network.architecture == ARCHITECTURES["resnet50"]
