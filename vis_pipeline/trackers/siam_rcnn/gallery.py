"""One object's gallery: what it looked like, and where in a frame something looks like that."""

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from detectors.base import RegionSource
from vis_pipeline.masks.affinity import box_iou, with_sides
from vis_pipeline.settings.config import STRICT
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.siam_rcnn.following import Comparer, Scene
from vis_pipeline.trackers.siam_rcnn.looks import Appearance
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector
from vis_pipeline.trackers.siam_rcnn.settings import RedetectionSettings


@dataclass(frozen=True, config=STRICT)
class GallerySettings:
    """How much is remembered of an object, and what it takes to find it.

    Attributes:
        views: templates that are kept: the first one, and the latest ones.
        score: re-detection score that a place needs: the network's times the likeness of the looks.
        margin: by how much it must be above any other place.
        same_iou: boxes with this IoU are one place.
    """

    views: int = Field(default=4, ge=1)
    score: float = Field(default=0.4, ge=0, le=1)
    margin: float = Field(default=0.1, ge=0, le=1)
    same_iou: float = Field(default=0.5, gt=0, le=1)


class Gallery:
    """A :class:`~vis_pipeline.trackers.siammask.single_object.Finder` that re-detects over whole frames.

    Args:
        network: the re-detector.
        source: regions of frames, by the detector that the network was trained with.
        redetection: which re-detections are looked at, and how they are compared.
        settings: what is remembered and found.
        device: of the networks.
    """

    def __init__(
        self,
        network: Redetector,
        source: RegionSource,
        redetection: RedetectionSettings,
        settings: GallerySettings,
        device: torch.device,
    ) -> None:
        self._comparer = Comparer(network, redetection)
        self._source = source
        self._settings = settings
        self._device = device
        self._views: list[Appearance] = []

    def remember(self, frame: Frame, box: NDArray[np.float64]) -> None:
        """Keep what a frame shows in a box x, y, w, h, float64 [4]."""
        corners = torch.from_numpy(np.concatenate([box[:2], box[:2] + box[2:]])[None]).float().to(self._device)
        self._views += self._comparer.shown(self._scene(frame), corners)
        if len(self._views) > self._settings.views:
            del self._views[min(1, self._settings.views - 1)]

    def find(self, frame: Frame) -> NDArray[np.float64] | None:
        """The one place in a frame that looks like what was remembered, x, y, w, h, float64 [4]; None: nowhere surely.

        Raises:
            ConfigError: the network is of another detector.
        """
        nowhere = torch.zeros((0, 4), device=self._device)
        found = self._comparer.redetected(self._scene(frame), self._views, [nowhere] * len(self._views))
        corners = np.concatenate([each.boxes for each in found])
        scores = np.concatenate([each.scores for each in found])
        boxes = with_sides(corners)
        place = unambiguous(boxes, scores, self._settings)
        return None if place is None else boxes[place]

    def _scene(self, frame: Frame) -> Scene:
        return Scene(frame.on(self._device), self._source.regions([frame])[0])


def unambiguous(boxes: NDArray[np.float64], scores: NDArray[np.float64], settings: GallerySettings) -> int | None:
    """The best scored of boxes x, y, w, h [N, 4], if it is good enough and better than those at other places."""
    if not len(scores):
        return None
    best = int(scores.argmax())
    elsewhere = box_iou(boxes, boxes[best : best + 1])[:, 0] < settings.same_iou
    sure = scores[best] - scores[elsewhere].max(initial=0.0) >= settings.margin
    return best if sure and scores[best] >= settings.score else None
