"""Following one object from its box in the first frame: Siam R-CNN's own task."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from detectors.base import RegionSource
from vis_pipeline import masks
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.siam_rcnn.box_to_mask import BoxesInFrame, BoxToMask
from vis_pipeline.trackers.siam_rcnn.following import Comparer, Scene
from vis_pipeline.trackers.siam_rcnn.looks import Appearance
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector
from vis_pipeline.trackers.siam_rcnn.settings import RedetectionSettings, SelectionSettings
from vis_pipeline.trackers.siam_rcnn.targets import Target
from vis_pipeline.trackers.siammask.rotated_box import corners, rotated_box
from vis_pipeline.trackers.single_object import ObjectInFrame, require_overlap


class SiamRcnnFollower:
    """Looks for one object over the whole of every frame.

    Args:
        network: the re-detector.
        source: regions of frames, by the detector that the network was trained with.
        box_to_mask: what makes masks of the chosen boxes.
        redetection: which re-detections are looked at, and how they are compared.
        selection: which of them is the object.
        device: of the networks.
    """

    def __init__(
        self,
        network: Redetector,
        source: RegionSource,
        box_to_mask: BoxToMask,
        redetection: RedetectionSettings,
        selection: SelectionSettings,
        device: torch.device,
    ) -> None:
        self._comparer = Comparer(network, redetection)
        self._source = source
        self._box_to_mask = box_to_mask
        self._selection = selection
        self._device = device

    def follow(self, frames: Iterable[Frame], box: NDArray[np.float64]) -> Iterator[ObjectInFrame]:
        """Follow the object that is at `box` (x, y, w, h, float64 [4]) in the first frame, through all frames.

        Where it is not present it has its last box, the score 0 and no mask (section 3.3).

        Raises:
            DataError: the box lies outside the first frame.
            ConfigError: the network is of another detector, or that makes no masks of boxes.
        """
        sequence = iter(frames)
        first = next(sequence)
        require_overlap(first, box)
        begun = np.concatenate([box[:2], box[:2] + box[2:]])
        previous = self._on_device(begun[None])
        (template,) = self._comparer.shown(self._scene(first), previous)
        height, width = first.image.shape[:2]
        target: Target[Appearance] = self._selection.begin(begun.tolist(), template, width, height)
        yield ObjectInFrame(first, box, 1.0, None, corners(box))
        for frame in sequence:
            scene = self._scene(frame)
            (found,) = self._comparer.redetected(scene, [template], [previous])
            (target,), (outcome,) = self._comparer.moved_on([target], [found])
            previous = self._on_device(found.boxes)
            chosen = np.concatenate([outcome.box[:2], outcome.box[2:] - outcome.box[:2]])
            if not outcome.present:
                yield ObjectInFrame(frame, chosen, 0.0, None, corners(chosen))
                continue
            asked = BoxesInFrame(scene.image, scene.regions, self._on_device(outcome.box[None]))
            mask = self._box_to_mask.masks([asked])[0].cpu().numpy()
            score = min(max(outcome.score, 0.0), 1.0)
            yield ObjectInFrame(frame, chosen, score, masks.encode(mask)[0], rotated_box(mask[0], chosen))

    def _scene(self, frame: Frame) -> Scene:
        return Scene(frame.on(self._device), self._source.regions([frame])[0])

    def _on_device(self, boxes: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(boxes).float().to(self._device)
