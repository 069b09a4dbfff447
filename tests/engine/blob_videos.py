"""Videos of bright squares, what detects them, and trackers for them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import BadFrame, Footage, Frame
from vis_pipeline.trackers.base import Tracker
from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.settings import BeliefSettings, KeptMask
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.propagator import SiamMaskPropagator
from vis_pipeline.trackers.siammask.settings import PRESETS

CPU = torch.device("cpu")


class Blobs:
    """Detects each bright region; every third frame it sees only the leftmost one. Notes the videos of each batch."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[int, int]]] = []

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.batches.append([(frame.video_id, frame.index) for frame in frames])
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Frame) -> Detections:
        count, regions, boxes, _ = cv2.connectedComponentsWithStats((frame.image.min(axis=2) > 200).astype(np.uint8))
        order = sorted(range(1, count), key=lambda region: boxes[region][0])[: 1 if frame.index % 3 == 2 else None]
        if not order:
            return Detections.none(*frame.image.shape[:2])
        corners = torch.tensor([[x, y, x + w, y + h] for x, y, w, h, _ in boxes[order].tolist()], dtype=torch.float32)
        masks = torch.from_numpy(np.stack([regions == region for region in order]))
        scores = 0.9 - 0.05 * torch.arange(len(order))
        return Detections(corners, scores, torch.ones(len(order), dtype=torch.int64), masks)


def siammask(precision: Literal["exact", "fast"] = "exact") -> Tracker[Any, Any]:
    """Untrained, and whatever it predicts is believed and kept: the results show each of its bits."""
    torch.manual_seed(0)
    settings = replace(PRESETS["davis"], stages=2, batch=4, precision=precision)
    predictor = SiamMaskPredictor(SiamMask(ARCHITECTURES["small"]), settings)
    belief = BeliefSettings(score=0, usual_score=0, likeness=0, box_iou=0, area_change=1e9, distance=1e9, covered=1)
    tracking = TrackingSettings(belief=belief, bridge_iou=0, kept_mask=KeptMask.TRACKER)
    return LifecycleTracker(SiamMaskPropagator(predictor), tracking, CPU)


def no_prediction() -> Tracker[Any, Any]:
    return LifecycleTracker(NoPrediction(), TrackingSettings(), CPU)


def video(video_id: int, length: int, objects: int, size: tuple[int, int]) -> list[Footage]:
    """Bright squares that drift over noise; the second of the frames is damaged in every other video."""
    rng = np.random.default_rng(video_id)
    frames: list[Footage] = []
    for index in range(length):
        image: NDArray[np.uint8] = rng.integers(0, 120, (*size, 3), dtype=np.uint8)
        for place in range(objects):
            x, y = 4 + 24 * place + index, 6 + 7 * place
            image[y : y + 12, x : x + 10 + place] = rng.integers(220, 255, 3, dtype=np.uint8)
        damaged = video_id % 2 and index == 1
        bad, good = BadFrame(video_id, index, str(index), "cut short"), Frame(video_id, index, str(index), image)
        frames.append(bad if damaged else good)
    return frames
