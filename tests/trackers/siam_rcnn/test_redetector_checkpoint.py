from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures.bbox import bbox_overlaps
from redetection_scenes import templates, tiny_redetector

from detectors.choices import MmdetChoice
from vis_pipeline.errors import WeightsError
from vis_pipeline.masks.boxes import minmax_boxes
from vis_pipeline.structures.frames import Frame
from vis_pipeline.synthesis.procedural.video import generate_video
from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector, save_redetector
from vis_pipeline.trackers.siam_rcnn.redetection import RedetectionSettings, redetect
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


@pytest.mark.parametrize(("name", "channels"), [("redetector_small", 48), ("redetector_lite_real", 64)])
def test_bundled_weights_are_small_and_for_their_detector(name: str, channels: int) -> None:
    path = resolve(f"bundled:{name}")
    assert path.stat().st_size < 6_000_000
    assert load_redetector(path, channels).architecture.channels == channels


def test_the_bundled_head_knows_drawn_objects_again() -> None:
    network = load_redetector(resolve("bundled:redetector_small"))
    choice = MmdetChoice("recipes/htc_small_mixed", "bundled:htc_small")
    source = choice.region_source(torch.device("cpu"))
    found, asked = 0, 0
    for index in range(3):
        video = generate_video(seed=20100, index=index)
        before, after = source.regions([Frame(1, frame, "", video.frames[frame]) for frame in (4, 9)])
        clear = (video.visible_fractions[:, [4, 9]] > 0.5).all(1)
        boxes, true = (_corners(video.masks[clear, frame]) for frame in (4, 9))
        nothing = [torch.zeros((0, 4))] * len(boxes)
        answers = redetect(network, before.align(boxes), after, nothing, RedetectionSettings())
        best = torch.cat([answer.boxes[:1] for answer in answers])
        found += int((bbox_overlaps(best, true, is_aligned=True) >= 0.5).sum())
        asked += len(true)
    assert asked >= 6
    assert found >= 0.6 * asked


def _corners(masks: np.ndarray) -> torch.Tensor:
    boxes = minmax_boxes(torch.from_numpy(masks)).float()
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)
