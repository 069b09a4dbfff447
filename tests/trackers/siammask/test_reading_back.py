"""A frame of a video is read back twice, whatever becomes of its tracks: what decisions need, and the masks shown.

A session on the CPU notes what it reads. One on the `meta` device, where nothing can be read, is given that in the
place of its own, so that it takes the same decisions and goes every way that a GPU's goes; whatever else waits is an
error.
"""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from device_waits import READING, NoWaiting, refusing
from siammask_scenes import moving_squares

from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.structures.tracks import MaskState
from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.lifecycle.settings import BeliefSettings, TrackingSettings
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker
from vis_pipeline.trackers.siammask.checkpoint import load_siammask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.propagator import SiamMaskPropagator
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings
from vis_pipeline.weights.registry import BUNDLED

# A prediction is shown for a frame, whatever it shows.
CREDULOUS = BeliefSettings(
    frames=1, score=0, usual_score=0, likeness=0, box_iou=0, area_change=1e9, distance=1e9, covered=1
)
# Which of the squares are detected: one is missed for long enough to be lost, one comes late.
DETECTED = [[0, 1], [0, 1, 2], [0, 2], [], [0, 2], [0, 1, 2], []]


@pytest.fixture
def readings(monkeypatch):
    """Begins to note the reads of CPU tensors, and to answer those of `meta` tensors with what was noted."""
    noted = []
    given = []
    read = torch.Tensor.cpu

    def cpu(tensor):
        if tensor.device.type == "cpu":
            noted.append(tensor.clone())
            return read(tensor)
        given.append(noted[len(given)])
        assert (given[-1].shape, given[-1].dtype) == (tensor.shape, tensor.dtype)
        return given[-1]

    monkeypatch.setattr(torch.Tensor, "cpu", cpu)
    for name in set(READING) - {"cpu"}:
        plain, refuse = getattr(torch.Tensor, name), refusing(name)

        def of_the_host(tensor, *args, plain=plain, refuse=refuse, **kwargs):
            return (refuse if tensor.device.type == "meta" else plain)(tensor, *args, **kwargs)

        monkeypatch.setattr(torch.Tensor, name, of_the_host)
    return noted, given


def tracker_on(device, propagation):
    settings = TrackingSettings(max_hidden=1, min_detections=1, belief=CREDULOUS)
    if propagation == "none":
        return LifecycleTracker(NoPrediction(), settings, torch.device(device))
    network = load_siammask(BUNDLED["siammask_small"].path)
    predictor = SiamMaskPredictor(network, SiamMaskSettings(stages=2), device)
    return LifecycleTracker(SiamMaskPropagator(predictor), settings, torch.device(device))


def detections(image, boxes, device):
    masks = torch.zeros((len(boxes), *image.shape[:2]), dtype=torch.bool)
    for mask, (x, y, w, h) in zip(masks, boxes.astype(int).tolist(), strict=True):
        mask[y : y + h, x : x + w] = True
    corners = torch.from_numpy(boxes).float()
    corners[:, 2:] += corners[:, :2]
    labels = torch.arange(len(boxes)) + 2**40
    found = Detections(corners, torch.full((len(boxes),), 0.9), labels, masks)
    return Detections(*(getattr(found, name).to(device) for name in ("boxes", "scores", "labels", "masks")))


def frames_of(tracker, images, boxes, device):
    """What comes out of each frame, and how often it was read back by then."""
    session = tracker.open(Stopwatch())
    for index, image in enumerate(images):
        found = detections(image, boxes[DETECTED[index]], device)
        with NoWaiting(uploads=True) if device == "meta" else nullcontext():
            (answer,) = tracker.answer([session.propose(Frame(1, index, str(index), image), found)])
            yield session.commit(answer)


@pytest.mark.parametrize("propagation", ["siammask", "none"])
def test_a_frame_is_read_back_twice(readings, monkeypatch, propagation):
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())  # which meta tensors do not know
    noted, given = readings
    images, boxes = moving_squares(1, height=100, width=140)
    images = images * len(DETECTED)
    seen = list(frames_of(tracker_on("cpu", propagation), images, boxes, "cpu"))
    states = {state for frame in seen for state in frame.states.tolist()}
    assert states == set(MaskState) - ({MaskState.PREDICTED} if propagation == "none" else set())
    tracker, counts = tracker_on("meta", propagation), []
    for frame, expected in zip(frames_of(tracker, images, boxes, "meta"), seen, strict=True):
        counts.append(len(given) - sum(counts))
        for name in ("ids", "boxes", "scores", "labels", "states", "corners"):
            np.testing.assert_array_equal(getattr(frame, name), getattr(expected, name))
        np.testing.assert_array_equal(frame.dense(), expected.dense())
    # Where nothing is shown there is nothing to read.
    assert counts == [1 + (len(frame.shown()) > 0) for frame in seen]
    assert len(given) == len(noted)
