"""Keras's ResNets, as TensorFlow.js keeps them, compute in torch what they do in Keras."""

from pathlib import Path

import numpy as np
import pytest
import torch
from keras_models import EPSILON, STEM, WIDTHS, literal_outputs, random_arrays, write_model
from mmdet.models.backbones import ResNet

from vis_pipeline.errors import WeightsError
from vis_pipeline.weights.imagenet import load_backbone
from vis_pipeline.weights.keras import read_keras_resnet
from vis_pipeline.weights.normalisation import CAFFE
from vis_pipeline.weights.pretrained import read_pretrained, write_pretrained


def caffe_backbone() -> ResNet:
    backbone = ResNet(50, base_channels=WIDTHS[0], stem_channels=STEM, style="caffe", frozen_stages=-1)
    backbone.eval()
    return backbone


def test_a_whole_network(tmp_path: Path) -> None:
    arrays = random_arrays()
    backbone = caffe_backbone()
    report = load_backbone(backbone, write_model(tmp_path, arrays), CAFFE)
    assert not report.kept
    assert not report.unused
    images = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (1, 3, 64, 96)).astype(np.float32))
    with torch.no_grad():
        outputs = backbone(images - torch.tensor(CAFFE.mean)[:, None, None])
    for found, expected in zip(outputs, literal_outputs(arrays, images), strict=True):
        torch.testing.assert_close(found, expected.float(), rtol=1e-3, atol=1e-3 * expected.abs().max().item())


def test_epsilon_and_bias_by_hand(tmp_path: Path) -> None:
    arrays = random_arrays()
    arrays["conv1_bn/moving_variance"][:] = [0.0, 1e-6, 0.5, 2.0]
    arrays["conv1_bn/moving_mean"][:] = [1.0, 2.0, 3.0, 4.0]
    arrays["conv1_conv/bias"][:] = [0.5, -1.0, 0.0, 4.0]
    tensors = read_pretrained(write_model(tmp_path, arrays)).tensors
    np.testing.assert_allclose(tensors["bn1.running_var"] + 1e-5, np.array([0.0, 1e-6, 0.5, 2.0]) + EPSILON, rtol=1e-6)
    assert tensors["bn1.running_var"][0] == pytest.approx(1e-8, rel=1e-3)
    assert tensors["bn1.running_mean"].tolist() == [0.5, 3.0, 3.0, 0.0]
    assert not [name for name in tensors if name.endswith("conv1.bias")]


def test_a_classifier_comes_as_fc(tmp_path: Path) -> None:
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
    extra = {"predictions/kernel": kernel, "predictions/bias": np.ones(3, np.float32)}
    tensors = read_keras_resnet(write_model(tmp_path, random_arrays() | extra))
    assert tensors["fc.weight"].tolist() == kernel.T.tolist()
    assert tensors["fc.bias"].tolist() == [1, 1, 1]


def test_converted_to_one_file_it_loads_the_same(tmp_path: Path) -> None:
    source, converted = write_model(tmp_path, random_arrays()), tmp_path / "resnet.safetensors"
    write_pretrained(read_pretrained(source), converted)
    first, second = caffe_backbone(), caffe_backbone()
    load_backbone(first, source, CAFFE)
    load_backbone(second, converted, CAFFE)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_what_is_no_such_model(tmp_path: Path) -> None:
    arrays = random_arrays()
    path = write_model(tmp_path, arrays, dtype="uint8")
    with pytest.raises(WeightsError, match=r"model\.json: conv1_conv/kernel is not plain float32"):
        read_keras_resnet(path)
    path = write_model(tmp_path, arrays, shape=[1])
    with pytest.raises(WeightsError, match=r"its shards hold \d+ bytes, its weights \d+"):
        read_keras_resnet(path)
    path = write_model(tmp_path, arrays | {"conv2_block1_preact_bn/gamma": np.ones(4, np.float32)})
    with pytest.raises(WeightsError, match="layer conv2_block1_preact_bn is not of a Keras ResNet"):
        read_keras_resnet(path)
    path = write_model(tmp_path, arrays)
    (tmp_path / "group1-shard2of3.bin").unlink()
    with pytest.raises(WeightsError, match=r"shard group1-shard2of3\.bin cannot be read"):
        read_keras_resnet(path)
    for content, words in [
        ("{", r"not a readable model\.json"),
        ("[]", "not an object"),
        ('{"modelTopology": {}, "weightsManifest": []}', "`modelTopology.model_config` is missing"),
    ]:
        path.write_text(content)
        with pytest.raises(WeightsError, match=words) as raised:
            read_keras_resnet(path)
        assert str(path) in str(raised.value)


def test_a_shard_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    path = write_model(tmp_path / "inside", random_arrays())
    (tmp_path / "secret.bin").write_bytes(b"\0" * 8)
    path.write_text(path.read_text().replace("group1-shard1of3.bin", "../secret.bin"))
    with pytest.raises(WeightsError, match=r"shard \.\./secret\.bin lies outside of its folder"):
        read_keras_resnet(path)
