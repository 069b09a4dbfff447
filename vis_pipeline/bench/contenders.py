"""What `bench speed` compares, on the same frames, weights and detections.

Each begins at a scene's first frame, which is not timed, and then goes through the others. Where there is a detector it
looks at every frame and is timed; what is associated are the scene's detections all the same, so that there are as many
objects as were asked for.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from detectors.base import Detector
from vis_pipeline.bench.speed_scene import Scene
from vis_pipeline.bench.stock import StockTracker, assigned, mask_affinity
from vis_pipeline.engine.frame_loop import FrameLoop
from vis_pipeline.masks.affinity import mask_iou, with_sides
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.propagator import SiamMaskPropagator
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings


@dataclass(frozen=True)
class LastFrame:
    """Where the targets are in a scene's last frame.

    Attributes:
        boxes: float64 [N, 4], x, y, w, h of the targets' states in image pixels.
        masks: bool [N, H, W].
    """

    boxes: NDArray[np.float64]
    masks: NDArray[np.bool_]


class Contender(Protocol):
    """A way to track the targets of a scene."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def begin(self, scene: Scene, watch: Stopwatch) -> Callable[[], Callable[[], LastFrame]]:
        """Start at the first frame. What is returned goes through the others, and returns what reads the end off.

        The stopwatch is given the steps `locate`, `segment`, `paste`, `associate` and others that there are.
        """
        ...


class FrameDetector(Protocol):
    """Detects in one image."""

    def detect(self, image: NDArray[np.uint8]) -> object:
        """What is in an image, uint8 [H, W, 3] BGR."""
        ...


class Stock:
    """The plain composition: `inference_detector`, a target at a time, the assignment on whole frames."""

    name = "stock"

    def __init__(
        self, network: SiamMask, settings: SiamMaskSettings, device: torch.device, detector: FrameDetector | None = None
    ) -> None:
        self._network = copy.deepcopy(network).to(device).eval()
        self._settings = settings
        self._detector = detector

    def begin(self, scene: Scene, watch: Stopwatch) -> Callable[[], Callable[[], LastFrame]]:
        """One tracker a target."""
        first = scene.frames[0].image
        # Float32 throughout, as ours: PyTorch's default for convolutions on CUDA is TF32.
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            trackers = [StockTracker(self._network, self._settings, first, box, watch) for box in scene.boxes]

        def run() -> Callable[[], LastFrame]:
            masks: list[NDArray[np.bool_]] = []
            for frame in scene.frames[1:]:
                if self._detector is not None:
                    with watch.step("detect"):
                        self._detector.detect(frame.image)
                with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                    masks = [tracker.follow(frame.image) for tracker in trackers]
                with watch.step("associate"):
                    assigned(mask_affinity(scene.masks, np.stack(masks)))
            return lambda: LastFrame(np.stack([tracker.box for tracker in trackers]), np.stack(masks))

        return run


class Ours:
    """The same procedure by our parts: detections of several frames at once, all targets in one batch, one read-back.

    Args:
        network: the weights.
        settings: of SiamMask.
        device: where all of it is done.
        detector: with the number of frames that it is given at once; None: nothing is detected.
    """

    name = "ours"

    def __init__(
        self,
        network: SiamMask,
        settings: SiamMaskSettings,
        device: torch.device,
        detector: tuple[Detector, int] | None = None,
    ) -> None:
        self._network = copy.deepcopy(network)
        self._settings = settings
        self._device = device
        self._detector = detector

    def begin(self, scene: Scene, watch: Stopwatch) -> Callable[[], Callable[[], LastFrame]]:
        """All targets together."""
        predictor = SiamMaskPredictor(self._network, self._settings, self._device, watch)
        states = predictor.initialise(torch.from_numpy(scene.frames[0].image), torch.from_numpy(scene.boxes))
        detected = torch.from_numpy(scene.masks).to(self._device)

        def run() -> Callable[[], LastFrame]:
            nonlocal states
            prediction = None
            at_once = len(scene.frames) if self._detector is None else self._detector[1]
            for start in range(1, len(scene.frames), at_once):
                frames = scene.frames[start : start + at_once]
                if self._detector is not None:
                    with watch.step("detect"):
                        self._detector[0].detect(frames)
                for frame in frames:
                    prediction = predictor.predict(frame.on(self._device), states)
                    states, masks = prediction.states, prediction.masks
                    assert masks is not None, "these weights have a mask branch"
                    with watch.step("associate"):
                        assigned(mask_iou(detected, masks).cpu().numpy())
            assert prediction is not None and masks is not None
            boxes = prediction.boxes
            return lambda: LastFrame(boxes.cpu().numpy(), masks.cpu().numpy())

        return run


class Engine:
    """The whole engine, which does more: templates anew, colours, births and deaths, the tracks' run-lengths."""

    name = "engine"

    def __init__(
        self,
        network: SiamMask,
        settings: SiamMaskSettings,
        tracking: TrackingSettings,
        device: torch.device,
        detector: tuple[Detector, int] | None = None,
    ) -> None:
        self._network = copy.deepcopy(network)
        self._settings = settings
        self._tracking = tracking
        self._device = device
        self._detector = detector

    def begin(self, scene: Scene, watch: Stopwatch) -> Callable[[], Callable[[], LastFrame]]:
        """The first frame's detections are born as tracks."""
        predictor = SiamMaskPredictor(self._network, self._settings, self._device, watch)
        tracking = replace(self._tracking, max_alive=max(self._tracking.max_alive, len(scene.boxes)))
        tracker = LifecycleTracker(SiamMaskPropagator(predictor), tracking, self._device)
        detector, at_once = (None, len(scene.frames)) if self._detector is None else self._detector
        loop = FrameLoop(1, GivenDetections(detector, _detections(scene, self._device)), tracker)
        list(loop.over(scene.frames[:1], 1))

        def run() -> Callable[[], LastFrame]:
            before = dict(loop.stopwatch.seconds)
            tracks = list(loop.over(scene.frames[1:], at_once))[-1]
            for name in ("associate", "encode", *(["detect"] if detector is not None else [])):
                watch.seconds[name] += loop.stopwatch.seconds[name] - before.get(name, 0.0)
            corners = tracks.boxes.astype(np.float64)
            boxes = with_sides(corners)
            return lambda: LastFrame(boxes, tracks.dense())

        return run


class GivenDetections:
    """Detects, where there is a detector, and finds what was given."""

    def __init__(self, detector: Detector | None, given: Detections) -> None:
        self._detector = detector
        self._given = given

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The given detections for each frame."""
        if self._detector is not None:
            self._detector.detect(frames)
        return [self._given for _ in frames]


def _detections(scene: Scene, device: torch.device) -> Detections:
    corners = torch.from_numpy(np.concatenate([scene.boxes[:, :2], scene.boxes[:, :2] + scene.boxes[:, 2:]], axis=1))
    count = len(corners)

    def placed(values: Tensor) -> Tensor:
        return values.to(device)

    return Detections(
        boxes=placed(corners.float()),
        scores=placed(torch.full((count,), 0.9)),
        labels=placed(torch.ones(count, dtype=torch.int64)),
        masks=placed(torch.from_numpy(scene.masks)),
    )
