"""`precision="fast"`: the same objects at the same places, to a part of a pixel."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from vis_pipeline import Pipeline
from vis_pipeline.synthesis.procedural.video import generate_video
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.checkpoint import load_siammask
from vis_pipeline.trackers.siammask.folding import fold_norms
from vis_pipeline.trackers.siammask.half_precision import in_half_precision
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.settings import PRESETS
from vis_pipeline.weights.registry import BUNDLED


def mask_iou(first: np.ndarray, second: np.ndarray) -> float:
    union = (first | second).sum()
    return 1.0 if union == 0 else float((first & second).sum() / union)


@pytest.mark.parametrize("name", ["small", "resnet50", "resnet50_two_branch"])
def test_folded_norms_change_nothing_but_rounding(name: str) -> None:
    torch.manual_seed(0)
    network = SiamMask(ARCHITECTURES[name]).double().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    template, search = torch.rand(1, 3, 127, 127).double() * 255, torch.rand(1, 3, 255, 255).double() * 255
    with torch.inference_mode():
        expected = network.score_and_locate(network.template(template), network.search(search))[0]
        fold_norms(network)
        assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
        found = network.score_and_locate(network.template(template), network.search(search))[0]
    assert float((found - expected).abs().max()) < 1e-9 * float(expected.abs().max())


def test_the_network_that_it_is_made_from_stays_as_it_is() -> None:
    network = load_siammask(BUNDLED["siammask_lite0"].path)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    in_half_precision(network)
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("weights", ["siammask_small", "siammask_lite0"])
@pytest.mark.parametrize("stages", [1, 2])
def test_targets_are_found_where_they_are_found_exactly(weights: str, stages: int) -> None:
    video = generate_video(seed=20000, index=0)
    boxes = torch.tensor([[60.0, 40.0, 50.0, 45.0], [150.0, 90.0, 60.0, 60.0]])
    frames = [torch.from_numpy(frame) for frame in video.frames[:3]]
    exact, fast = (
        SiamMaskPredictor(
            load_siammask(BUNDLED[weights].path), replace(PRESETS["davis"], stages=stages, precision=kind)
        )
        for kind in ("exact", "fast")
    )
    states = exact.initialise(frames[0], boxes)
    for frame in frames[1:]:
        expected = exact.predict(frame, states)
        found = fast.predict(frame, replace(states, templates=fast.initialise(frames[0], boxes).templates))
        np.testing.assert_allclose(found.boxes, expected.boxes, atol=0.6)
        states = expected.states


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_a_video_has_the_same_tracks(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    frames = list(generate_video(seed=20000, index=0).frames[:10])
    exact, fast = (
        list(
            Pipeline.from_config("procedural_small", device=device, options=[f"tracker.precision={kind}"]).track(frames)
        )
        for kind in ("exact", "fast")
    )
    overlaps = []
    for expected, found in zip(exact, fast, strict=True):
        assert found.ids.tolist() == expected.ids.tolist()
        overlaps += [mask_iou(*pair) for pair in zip(found.dense(), expected.dense(), strict=True)]
    assert np.mean(overlaps) >= 0.98


def test_a_target_alone_is_found_as_in_company() -> None:
    frames = [torch.from_numpy(frame) for frame in generate_video(seed=20000, index=0).frames[:2]]
    boxes = torch.tensor([[60.0, 40.0, 50.0, 45.0], [150.0, 90.0, 60.0, 60.0], [20.0, 20.0, 40.0, 70.0]])
    fast = SiamMaskPredictor(
        load_siammask(BUNDLED["siammask_small"].path), replace(PRESETS["davis"], stages=2, precision="fast")
    )
    together = fast.predict(frames[1], fast.initialise(frames[0], boxes))
    alone = fast.predict(frames[1], fast.initialise(frames[0], boxes[1:2]))
    assert torch.equal(alone.boxes[0], together.boxes[1])
    assert torch.equal(alone.masks[0], together.masks[1])
