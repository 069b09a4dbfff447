import copy
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from vis_pipeline.bench.stock import StockTracker, assigned, mask_affinity, square_crop
from vis_pipeline.masks.affinity import mask_iou
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.synthesis.procedural.settings import SceneSettings
from vis_pipeline.synthesis.procedural.video import generate_video
from vis_pipeline.trackers.siammask.checkpoint import load_siammask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.settings import PRESETS
from vis_pipeline.weights.registry import BUNDLED

LENGTH = 5


@pytest.fixture(scope="module")
def drawn():
    """A drawn video: BGR frames and the boxes of the objects of its first frame."""
    video = generate_video(61, 0, SceneSettings(width=240, height=160, length=LENGTH))
    boxes = [cv2.boundingRect(masks[0].astype(np.uint8)) for masks in video.masks if masks[0].any()]
    assert len(boxes) > 1
    return video.frames, np.array(boxes, dtype=np.float64)


def iou(first, second):
    union = (first | second).sum()
    return 1.0 if union == 0 else (first & second).sum() / union


def assert_alike(name, drawn, settings):
    """One object and stage at a time gives what all together give."""
    frames, boxes = drawn
    network = load_siammask(BUNDLED[name].path)
    ours = SiamMaskPredictor(copy.deepcopy(network), settings)
    states = ours.initialise(torch.from_numpy(frames[0]), torch.from_numpy(boxes))
    watch = Stopwatch()
    plain = [StockTracker(network, settings, frames[0], box, watch) for box in boxes]
    for frame in frames[1:]:
        prediction = ours.predict(torch.from_numpy(frame), states)
        states = prediction.states
        found = [tracker.follow(frame) for tracker in plain]
        np.testing.assert_allclose([tracker.box for tracker in plain], prediction.boxes, atol=0.01)
        np.testing.assert_allclose([tracker.located for tracker in plain], prediction.located_boxes, atol=0.01)
        np.testing.assert_allclose([tracker.score for tracker in plain], prediction.scores, atol=1e-4)
        assert any(mask.any() for mask in found)
        for mask, expected in zip(found, prediction.masks.numpy(), strict=True):
            assert iou(mask, expected) >= 0.99
    assert set(watch.seconds) == {"locate", "segment", "paste"}


@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize("name", ["siammask_small", "siammask_lite0"])
def test_the_plain_tracker_and_ours_agree(name, drawn, stages):
    assert_alike(name, drawn, replace(PRESETS["davis"], stages=stages))


def test_they_agree_where_the_size_is_smoothed(drawn):
    assert_alike("siammask_small", drawn, replace(PRESETS["vot18"], stages=2, second_crop="smoothed"))


def test_a_crop_beyond_the_image_has_the_colour_there():
    image = np.full((20, 30, 3), 200, dtype=np.uint8)
    crop = square_crop(image, np.array([0.0, 0.0]), 20, np.array([1, 2, 3], dtype=np.uint8), 20)
    assert (crop[0, 0].tolist(), crop[-1, -1].tolist()) == ([1, 2, 3], [200, 200, 200])


def test_affinity_is_the_iou_of_masks_and_the_assignment_the_best():
    rng = np.random.default_rng(5)
    first, second = (rng.random((count, 12, 17)) > 0.5 for count in (3, 4))
    affinity = mask_affinity(first, second)
    np.testing.assert_allclose(affinity, mask_iou(torch.from_numpy(first), torch.from_numpy(second)), atol=1e-6)
    rows, columns = assigned(np.array([[0.9, 0.8], [0.7, 0.1]]))
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])
