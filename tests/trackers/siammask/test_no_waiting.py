"""Nothing in a prediction makes the host wait for the device: shown without one, on tensors that have no data.

On the `meta` device every tensor takes the way of a GPU's, gathers and all, and nothing can be read: whatever needs a
value on the host is an error, and a mode names the operations that would wait.
"""

from contextlib import nullcontext

import pytest
import torch
from device_waits import WaitingError, without_data
from siammask_scenes import moving_squares, random_network

from vis_pipeline.trackers.siammask.checkpoint import load_siammask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings
from vis_pipeline.weights.registry import BUNDLED


@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize("kind", ["small", "small_no_refine", "small_two_branch", "resnet50", "siammask_lite0"])
def test_a_prediction_does_not_wait(no_waiting, monkeypatch, kind, stages):
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())  # which meta tensors do not know
    network = load_siammask(BUNDLED[kind].path) if kind in BUNDLED else random_network(kind)
    images, boxes = moving_squares(2)
    # Two videos of different size, more targets than a batch holds, and a video without any.
    begun = SiamMaskPredictor(network, SiamMaskSettings(stages=stages)).initialise_each(
        [(torch.from_numpy(images[0]), torch.from_numpy(boxes[:3])), (torch.from_numpy(images[0]), torch.zeros(0, 4))]
    )
    predictor = SiamMaskPredictor(network, SiamMaskSettings(stages=stages, batch=4), "meta")
    frame = torch.empty(*images[0].shape, dtype=torch.uint8, device="meta")
    larger = torch.empty(200, 300, 3, dtype=torch.uint8, device="meta")
    groups = [(frame, without_data(begun[0])), (larger, without_data(begun[0])), (frame, without_data(begun[1]))]
    with no_waiting():
        predictions = predictor.predict_each(groups)
    assert [tuple(each.masks.shape) for each in predictions] == [(3, 120, 160), (3, 200, 300), (0, 120, 160)]
    assert {each.boxes.device.type for each in predictions} == {"meta"}


@pytest.mark.parametrize(("kind", "report"), [("siamfc_small", "score"), ("small", "box")])
def test_a_prediction_of_boxes_does_not_wait(no_waiting, monkeypatch, kind, report):
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())
    network = random_network(kind)
    images, boxes = moving_squares(2)
    states = SiamMaskPredictor(network, SiamMaskSettings()).initialise(
        torch.from_numpy(images[0]), torch.from_numpy(boxes[:3])
    )
    predictor = SiamMaskPredictor(network, SiamMaskSettings(report=report), "meta")
    frame = torch.empty(*images[0].shape, dtype=torch.uint8, device="meta")
    begun = without_data(states)
    with no_waiting():
        prediction = predictor.predict(frame, begun)
    assert (prediction.masks, prediction.boxes.device.type) == (None, "meta")


@pytest.mark.parametrize(
    "waits",
    [
        lambda values: values.sum().item(),
        lambda values: bool(values.any()),
        lambda values: values.tolist(),
        lambda values: values.cpu(),
        lambda values: values.to("cpu"),
        lambda values: values[values > 0],
        lambda values: values.masked_select(values > 0),
        lambda values: torch.where(values > 0),
        lambda values: torch.tensor([1.0], device="meta"),
        lambda values: values + torch.ones(3).to("meta"),
        lambda values: values.new_zeros(3).copy_(torch.ones(3)),
    ],
)
def test_what_waits_is_seen(no_waiting, waits):
    values = torch.empty(3, device="meta")
    with pytest.raises(WaitingError), no_waiting():
        waits(values)


def test_what_does_not_wait_is_let_through(no_waiting):
    values = torch.empty(3, device="meta")
    with no_waiting():
        chosen = torch.where(values > 0, values, 0.0)[torch.arange(2, device="meta")]
    assert chosen.shape == (2,)


@pytest.mark.gpu
@pytest.mark.parametrize("stages", [1, 2])
def test_cuda_sees_no_waiting_either(stages):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    images, boxes = moving_squares(2)
    network = load_siammask(BUNDLED["siammask_small"].path)
    predictor = SiamMaskPredictor(network, SiamMaskSettings(stages=stages), "cuda")
    image = torch.from_numpy(images[1]).cuda()
    states = predictor.initialise(image, torch.from_numpy(boxes))
    predictor.predict(image, states)  # cuDNN chooses and prepares
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        predictor.predict(image, states)
    finally:
        torch.cuda.set_sync_debug_mode("default")
