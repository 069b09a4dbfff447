"""What a video asks of the networks in one frame, and what it is answered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.structures.detections import Detections
from vis_pipeline.trackers.siam_rcnn.decision import Decision
from vis_pipeline.trackers.siam_rcnn.joining import Join
from vis_pipeline.trackers.siam_rcnn.living import Living
from vis_pipeline.trackers.siam_rcnn.looks import Appearance
from vis_pipeline.trackers.siam_rcnn.targets import Outcome


@dataclass(frozen=True)
class Needs:
    """One video in one frame.

    Attributes:
        image: uint8 [H, W, 3] BGR on the device.
        detections: of the frame, with its regions.
        living: the N targets to look for.
    """

    image: Tensor
    detections: Detections
    living: tuple[Living, ...]


@dataclass(frozen=True)
class Answer:
    """What became of :class:`Needs`.

    Attributes:
        living: the N targets after the frame; whether it detected them is not counted yet.
        outcomes: what it shows of each.
        decision: about them and about the detections.
        scores: float64 [M], of the detections.
        labels: int64 [M].
        boxes: float64 [M, 4], x1, y1, x2, y2.
        masks: bool [S + B, H, W], without common pixels: of the targets that are shown, and of the births.
        templates: of the B births.
        joins: which targets go on as another one, or as a birth.
    """

    living: tuple[Living, ...]
    outcomes: tuple[Outcome, ...]
    decision: Decision
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]
    boxes: NDArray[np.float64]
    masks: Tensor
    templates: Sequence[Appearance]
    joins: Sequence[Join]
