"""One detection an object: detectors suppress by boxes and class by class, this by masks, whatever the class.

A bicycle and its rider stay apart, since neither mask lies in the other; a dog that is also taken for a cat, or its
head for a dog of its own, is one detection, the best scored.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from detectors.base import Detector
from vis_pipeline.masks.affinity import mask_areas, mask_iou, share_inside
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame


def undisputed(masks: Tensor, scores: Tensor, iou: float, share: float) -> Tensor:
    """Which of N detections stay, bool [N].

    From the best scored on, of equal scores the first, each stays unless one that stayed overlaps it by at least `iou`
    or holds at least `share` of it.

    Args:
        masks: bool [N, H, W].
        scores: float32 [N].
        iou: mask IoU in 0..1.
        share: in 0..1; an empty mask lies in nothing.
    """
    overlaps = mask_iou(masks, masks).double().cpu().numpy()
    areas = mask_areas(masks).cpu().numpy()
    disputed = (overlaps >= iou) | (share_inside(overlaps, areas, areas) >= share)
    stays = torch.zeros(len(scores), dtype=torch.bool)
    for index in scores.argsort(descending=True, stable=True).tolist():
        stays[index] = not disputed[index][stays.numpy()].any()
    return stays.to(scores.device)


class WithoutOverlaps:
    """A detector whose detections are thinned out by :func:`undisputed`."""

    def __init__(self, detector: Detector, iou: float, share: float) -> None:
        self._detector = detector
        self._iou = iou
        self._share = share

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What is left of the detector's detections in each frame, in their order."""
        return [self._thinned(found) for found in self._detector.detect(frames)]

    def _thinned(self, found: Detections) -> Detections:
        if len(found) < 2:
            return found
        return found.select(undisputed(found.masks, found.scores, self._iou, self._share))
