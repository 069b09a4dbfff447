"""What a tracker is trained on, as one picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.training.tracker.crops import MASK_MARGIN, PairBatch
from vis_pipeline.visualize.contact_sheet import montage
from vis_pipeline.visualize.text import Colour

_MASK: Colour = (80, 220, 80)
_BOX: Colour = (60, 200, 255)
_POSITIVE: Colour = (80, 180, 80)
_NEGATIVE: Colour = (70, 70, 230)
_OPACITY = 0.35
_FRAME = 3


def pair_sheet(batch: PairBatch, columns: int = 3) -> NDArray[np.uint8]:
    """Each pair of a batch on a tile: left the exemplar and below it the second-stage crop, right the search crop.

    The target is tinted and outlined, its box drawn in the search crop; a green frame says that the exemplar shows the
    target, a red one that it does not. uint8 [H, W, 3], BGR.
    """
    return montage([_tile(batch, row) for row in range(len(batch.positive))], columns)


def _tile(batch: PairBatch, row: int) -> NDArray[np.uint8]:
    exemplar, search, second = (
        _image(crops[row].cpu().numpy()) for crops in (batch.exemplars, batch.searches, batch.seconds)
    )
    planes = batch.search_masks[row].cpu().numpy(), batch.second_masks[row].cpu().numpy()
    _draw_mask(search, planes[0][MASK_MARGIN:-MASK_MARGIN, MASK_MARGIN:-MASK_MARGIN])
    _draw_mask(second, planes[1])
    x, y, width, height = batch.boxes[row].tolist()
    corners = [(round(x + sign * width / 2), round(y + sign * height / 2)) for sign in (-1, 1)]
    cv2.rectangle(search, corners[0], corners[1], _BOX, 1, cv2.LINE_AA)
    left = np.concatenate([exemplar, second])
    height = max(len(left), len(search))
    tile = np.concatenate([_lengthened(left, height), _lengthened(search, height)], axis=1)
    colour = _POSITIVE if batch.positive[row] else _NEGATIVE
    return np.asarray(cv2.copyMakeBorder(tile, *(_FRAME,) * 4, cv2.BORDER_CONSTANT, value=colour), dtype=np.uint8)


def _image(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(planes.transpose(1, 2, 0))


def _lengthened(image: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    return np.pad(image, ((0, height - len(image)), (0, 0), (0, 0)))


def _draw_mask(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
    image[mask] = (1 - _OPACITY) * image[mask] + _OPACITY * np.array(_MASK)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(image, outlines, -1, _MASK, 1)
