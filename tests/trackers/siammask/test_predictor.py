from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from siammask_oracle import PlainNetwork, PlainTracker
from siammask_scenes import moving_squares, random_network

from vis_pipeline.trackers.siammask.checkpoint import load_siammask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor, TargetStates
from vis_pipeline.trackers.siammask.settings import PRESETS
from vis_pipeline.weights.registry import BUNDLED


def settings(preset, stages, **own):
    return replace(PRESETS[preset], stages=stages, **own)


def plain_trackers(tensors, image, boxes, chosen):
    network = PlainNetwork(tensors)
    return [
        PlainTracker(
            network,
            image,
            box,
            threshold=chosen.mask_threshold,
            penalty_k=chosen.penalty_k,
            influence=chosen.window_influence,
            rate=chosen.size_rate,
            stages=chosen.stages,
            second_crop=chosen.second_crop,
        )
        for box in boxes
    ]


def mask_iou(first, second):
    union = (first | second).sum()
    return 1.0 if union == 0 else (first & second).sum() / union


def assert_as_plain(network, images, boxes, chosen):
    """Every frame's prediction in one call agrees with one plain tracker per object."""
    tracker = SiamMaskPredictor(network, chosen)
    states = tracker.initialise(torch.from_numpy(images[0]), torch.from_numpy(boxes))
    plain = plain_trackers(network.state_dict(), images[0], boxes, chosen)
    for image in images[1:]:
        prediction = tracker.predict(torch.from_numpy(image), states)
        states = prediction.states
        expected = [one.track(image) for one in plain]
        np.testing.assert_allclose(prediction.boxes, [one.box for one in expected], atol=0.01)
        np.testing.assert_allclose(prediction.located_boxes, [one.located for one in expected], atol=0.01)
        np.testing.assert_allclose(prediction.scores, [one.score for one in expected], atol=1e-4)
        assert any(one.mask.any() for one in expected)
        for index, one in enumerate(expected):
            assert mask_iou(prediction.masks[index].numpy(), one.mask) >= 0.999


@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize(
    ("kind", "count"),
    [("small", 1), ("small", 3), ("small", 8), ("small_no_refine", 3), ("small_two_branch", 3)],
)
def test_one_call_does_what_plain_trackers_do_one_by_one(kind, count, stages):
    images, boxes = moving_squares(3)
    assert_as_plain(random_network(kind), images, boxes[:count], settings("davis", stages))


@pytest.mark.parametrize("preset", ["vot", "vot18"])
def test_presets_smooth_the_size(preset):
    images, boxes = moving_squares(4, seed=5)
    assert_as_plain(random_network("small", seed=3), images, boxes[:2], settings(preset, 1))


@pytest.mark.parametrize("second_crop", ["located", "smoothed"])
def test_stage_2_crops_around_the_best_box_or_the_smoothed_one(second_crop):
    images, boxes = moving_squares(4, seed=5)
    chosen = settings("vot", 2, second_crop=second_crop)
    assert_as_plain(random_network("small", seed=3), images, boxes[:2], chosen)


def test_resnet_layout_is_the_releases():
    images, boxes = moving_squares(2, seed=2)
    assert_as_plain(random_network("resnet50"), images, boxes[:1], settings("davis", 1))


def test_no_targets():
    images, _ = moving_squares(2)
    tracker = SiamMaskPredictor(random_network("small"), settings("davis", 2))
    states = tracker.initialise(torch.from_numpy(images[0]), torch.zeros(0, 4))
    prediction = tracker.predict(torch.from_numpy(images[1]), states)
    assert prediction.boxes.shape == (0, 4)
    assert prediction.masks.shape == (0, 120, 160)
    assert len(prediction.states) == 0


def test_a_target_at_the_corner_keeps_its_centre_in_the_image():
    images, _ = moving_squares(4)
    tracker = SiamMaskPredictor(random_network("small", seed=9), settings("davis", 2))
    states = tracker.initialise(torch.from_numpy(images[0]), torch.tensor([[150.0, -8.0, 14.0, 12.0]]))
    for image in images[1:]:
        states = tracker.predict(torch.from_numpy(image), states).states
        assert 0 <= states.centres[0, 0] <= 160
        assert 0 <= states.centres[0, 1] <= 120
        assert (states.sizes >= 10).all()


def some_states(count):
    return TargetStates(
        templates=torch.rand(count, 4, 7, 7),
        centres=torch.rand(count, 2, dtype=torch.float64),
        sizes=torch.rand(count, 2, dtype=torch.float64) + 20,
        scores=torch.rand(count),
        padding=torch.zeros(count, 3, dtype=torch.uint8),
    )


def test_states_are_selected_and_concatenated():
    states = some_states(4)
    again = TargetStates.concatenate([states.select([2, 0]), states.select(torch.tensor([False, True, False, True]))])
    assert torch.equal(again.scores, states.scores[[2, 0, 1, 3]])
    assert torch.equal(again.boxes, states.boxes[[2, 0, 1, 3]])
    assert len(states.select([])) == 0


def test_states_take_other_boxes():
    moved = some_states(2).with_boxes(torch.tensor([[10, 20, 30, 40], [5, 5, 4, 40]]))
    assert moved.boxes.tolist() == [[10, 20, 30, 40], [2, 5, 10, 40]]


@pytest.mark.gpu
@pytest.mark.parametrize("stages", [1, 2])
def test_on_a_gpu_the_numbers_are_the_same(stages):
    """With OpenCV 4, whose warp the GPU's gathers repeat to the byte; against that of OpenCV 5 the IoU is 0.993."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    images, boxes = moving_squares(4)
    # An untrained network's masks are undecided everywhere: rounding alone moves their outlines.
    network = load_siammask(BUNDLED["siammask_small"].path)
    predictions = {}
    for device in ("cpu", "cuda"):
        tracker = SiamMaskPredictor(network, settings("davis", stages), device)
        states = tracker.initialise(torch.from_numpy(images[0]), torch.from_numpy(boxes))
        for image in images[1:]:
            predictions[device] = tracker.predict(torch.from_numpy(image), states)
            states = predictions[device].states
    np.testing.assert_allclose(predictions["cuda"].boxes.cpu(), predictions["cpu"].boxes, atol=0.01)
    for ours, theirs in zip(predictions["cuda"].masks.cpu().numpy(), predictions["cpu"].masks.numpy(), strict=True):
        assert mask_iou(ours, theirs) >= 0.999


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(("sequence", "stages"), [("dog-agility", 1), ("motorbike", 2)])
def test_shared_weights_on_real_frames_do_as_plain_trackers_do(shared, sequence, stages):
    network = load_siammask(shared / "weights/siammask_r50_official_keys_fp16.pth")
    data = shared / "data/davis2016_train"
    images = [cv2.imread(str(path)) for path in sorted((data / "frames" / sequence).iterdir())[:4]]
    mask = cv2.imread(str(sorted((data / "masks" / sequence).iterdir())[0]), cv2.IMREAD_GRAYSCALE)
    box = cv2.boundingRect((mask > 0).astype(np.uint8))
    boxes = np.array([box, [300, 120, 80, 60]], dtype=np.float64)
    assert_as_plain(network, images, boxes, settings("davis", stages))
