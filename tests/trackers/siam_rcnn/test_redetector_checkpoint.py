from pathlib import Path

import pytest
import torch
from redetection_scenes import templates, tiny_redetector

from vis_pipeline.errors import WeightsError
from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector, save_redetector
from vis_pipeline.trackers.siam_rcnn.redetector import RedetectorArchitecture
from vis_pipeline.weights.files import write_state_dict
from vis_pipeline.weights.registry import resolve


def test_saved_and_loaded_weights_score_the_same(tmp_path: Path) -> None:
    network = tiny_redetector().half().float()
    path = tmp_path / "redetector.safetensors"
    save_redetector(path, network, "bundled:htc_small", {"steps": 3})
    loaded = load_redetector(path, channels=4)
    assert not loaded.training
    assert loaded.architecture == network.architecture
    assert torch.equal(loaded(templates(3), templates(3, seed=5)), network(templates(3), templates(3, seed=5)))


def test_another_detectors_channels_are_named(tmp_path: Path) -> None:
    path = tmp_path / "redetector.safetensors"
    save_redetector(path, tiny_redetector(), "bundled:htc_small")
    with pytest.raises(WeightsError) as caught:
        load_redetector(path, channels=64)
    assert str(caught.value) == (
        f"weights {path}: of a re-detector for 4 channels (bundled:htc_small), and this detector has 64; "
        "give those that were trained with it"
    )


def test_other_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no re-detector's"):
        load_redetector(resolve("bundled:siammask_small"))
    path, network = tmp_path / "redetector.safetensors", tiny_redetector()
    tensors = network.state_dict()
    write_state_dict(path, tensors, {"redetector": {"channels": 4, "width": 8}})
    with pytest.raises(WeightsError, match="its metadata describes no re-detector"):
        load_redetector(path)
    write_state_dict(
        path, tensors, {"redetector": {"channels": 4, "conv_channels": 16, "fc_channels": 16, "groups": 4}}
    )
    with pytest.raises(WeightsError, match=r"wrong shape of stages.0.head"):
        load_redetector(path)


def test_groups_that_do_not_divide() -> None:
    with pytest.raises(ValueError, match="groups = 32 do not divide conv_channels = 48"):
        RedetectorArchitecture(channels=48, conv_channels=48)
