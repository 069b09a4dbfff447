"""The plain baseline: two-stage SiamMask one object and one stage at a time, and the assignment on whole-frame masks.

Written from the procedure of the papers, as their text and the released code have it, on nothing of the pipeline but
the network's layers: a batch of one in float32, crops and masks by OpenCV, the choice of the box in NumPy. "2019" is
SiamMask (CVPR 2019), "multi-object" its extension to multiple objects. What would be wasted is not done, though the
release does it: the coarse mask head is not asked where masks are refined.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.trackers.siammask.network import SearchFeatures, SiamMask
from vis_pipeline.trackers.siammask.settings import SiamMaskSettings

EXEMPLAR, SEARCH, RESPONSE, STRIDE = 127, 255, 25, 8
_SHAPES = np.array([[104, 32], [88, 40], [64, 64], [40, 80], [32, 96]], dtype=np.float32)
_SMALLEST = 10.0

Point = NDArray[np.float64]


class StockTracker:
    """One target of a three-branch SiamMask, begun at its box in a frame and followed from frame to frame.

    Args:
        network: in evaluation mode, on the device.
        settings: as our own predictor's.
        image: uint8 [H, W, 3], BGR.
        box: float64 [4], x, y, w, h in image pixels.
        stopwatch: given the seconds of `locate` (crop, stage 1), `segment` (the mask) and `paste`.

    Attributes:
        centre, size: float64 [2], of the state box in image pixels; its size is smoothed.
        located: float64 [4], x, y, w, h, the last best box as it was found.
        score: of the last best box.
    """

    def __init__(
        self,
        network: SiamMask,
        settings: SiamMaskSettings,
        image: NDArray[np.uint8],
        box: NDArray[np.float64],
        stopwatch: Stopwatch,
    ) -> None:
        self._network = network
        self._settings = settings
        self._watch = stopwatch.step
        self.centre, self.size = box[:2] + box[2:] / 2, box[2:].copy()
        self.located, self.score = box, 1.0
        self._padding = image.mean(axis=(0, 1)).astype(np.uint8)
        crop = square_crop(image, self.centre, _whole(exemplar_side(self.size)), self._padding, EXEMPLAR)
        with torch.inference_mode():
            self._template = network.template(self._input(crop))

    @property
    def box(self) -> NDArray[np.float64]:
        """The state box, float64 [4], x, y, w, h in image pixels."""
        return np.concatenate([self.centre - self.size / 2, self.size])

    @torch.inference_mode()
    def follow(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Find the target in the next frame, uint8 [H, W, 3] BGR: its mask, bool [H, W]."""
        side = _whole(exemplar_side(self.size) * SEARCH / EXEMPLAR)
        around = self.centre
        with self._watch("locate"):
            crop = square_crop(image, around, side, self._padding, SEARCH)
            search = self._network.search(self._input(crop))
            located, position = self._choose(search, np.array(image.shape[1::-1], dtype=np.float64))
        with self._watch("segment"):
            if self._settings.stages == 1:
                probabilities = self._mask(search, position)
                # The exemplar-sized window of the search crop that this place of the response was computed from.
                scale = side / SEARCH
                corner = (
                    around
                    - side / 2
                    + (position[::-1] - (RESPONSE - 1 - (SEARCH - EXEMPLAR) / STRIDE) / 2) * (STRIDE * scale)
                )
                covered = EXEMPLAR * scale
            else:
                covered = _whole(exemplar_side(located if self._settings.second_crop == "located" else self.size))
                probabilities = self._second_stage(image, covered)
                corner = self.centre - covered / 2
        with self._watch("paste"):
            return pasted(probabilities, corner, covered, image.shape[1], image.shape[0], self._settings.mask_threshold)

    def _choose(self, search: SearchFeatures, limits: Point) -> tuple[Point, NDArray[np.int64]]:
        """Move to the best box: the size that it has, float64 [2], and its place y, x in the response.

        The highest-scoring output of the box branch is the next reference (2019, section 3.3; multi-object, section
        4.5), after SiamRPN's penalty of changed scale and ratio, cosine window and smoothing of the size.
        """
        logits, offsets = self._network.score_and_locate(self._template, search)
        assert offsets is not None
        scores = logits.reshape(2, -1).softmax(dim=0)[1].cpu().numpy()
        boxes = decoded(offsets.reshape(4, -1).cpu().numpy()).astype(np.float64)
        scale = EXEMPLAR / exemplar_side(self.size)
        width, height = self.size * scale
        bigger = change(exemplar_side(boxes[2:]) / exemplar_side(np.array([width, height])))
        longer = change((width / height) / (boxes[2] / boxes[3]))
        penalties = np.exp(-(bigger * longer - 1) * self._settings.penalty_k)
        window = np.tile(np.outer(np.hanning(RESPONSE), np.hanning(RESPONSE)).ravel(), len(_SHAPES))
        influence = self._settings.window_influence
        best = int(np.argmax(penalties * scores * (1 - influence) + window * influence))
        found = boxes[:, best] / scale
        rate = penalties[best] * scores[best] * self._settings.size_rate
        self.centre = np.clip(self.centre + found[:2], 0, limits)
        size = np.maximum(_SMALLEST, np.minimum(found[2:], limits))
        self.size = np.maximum(_SMALLEST, np.minimum(self.size * (1 - rate) + found[2:] * rate, limits))
        self.located, self.score = np.concatenate([self.centre - size / 2, size]), float(scores[best])
        return size, np.array(divmod(best % RESPONSE**2, RESPONSE))

    def _second_stage(self, image: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
        """The mask of a crop around the box of stage 1, float32 [S, S] (multi-object, section 5 and figure 7)."""
        crop = square_crop(image, self.centre, side, self._padding, EXEMPLAR)
        search = self._network.search(self._input(crop))
        if not self._network.architecture.refine:
            return self._mask(search, np.zeros(2, dtype=np.int64))
        logits = self._network.refine_whole(search, self._network.mask_correlation(self._template, search))
        return _host(logits[0].sigmoid())

    def _mask(self, search: SearchFeatures, position: NDArray[np.int64]) -> NDArray[np.float32]:
        """Mask probabilities, float32 [S, S], at a place y, x of the response (2019, equation 2 and appendix A)."""
        correlation = self._network.mask_correlation(self._template, search)
        y, x = position.tolist()
        if self._network.architecture.refine:
            at = torch.tensor([[0, y, x]], device=correlation.device)
            return _host(self._network.refine_at(search, correlation, at)[0].sigmoid())
        logits = self._network.coarse_mask_logits(correlation[:, :, y : y + 1, x : x + 1]).flatten()
        side = round(len(logits) ** 0.5)
        return _host(logits.sigmoid().view(side, side))

    def _input(self, crop: NDArray[np.uint8]) -> Tensor:
        weights = next(self._network.parameters())
        return torch.from_numpy(crop.transpose(2, 0, 1)[None].astype(np.float32)).to(weights.device)


def exemplar_side(size: NDArray[np.floating]) -> NDArray[np.float64]:
    """Side of the exemplar's square with its context for w, h [2, ...] (SiamFC, which 2019 follows, section 3.1)."""
    context = (size[0] + size[1]) / 2
    return np.asarray(np.sqrt((size[0] + context) * (size[1] + context)), dtype=np.float64)


def change(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many times larger or smaller."""
    return np.maximum(factor, 1 / factor)


def decoded(offsets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes float32 [4, 5*25*25], centre x, y from the crop's centre, w, h in crop pixels (multi-object, equation 6).

    Its fourth term is ln(T_h / A_h): the text has a misprint.
    """
    steps = (np.arange(RESPONSE, dtype=np.float32) - RESPONSE // 2) * STRIDE
    y, x = (np.tile(places.ravel(), len(_SHAPES)) for places in np.meshgrid(steps, steps, indexing="ij"))
    width, height = np.repeat(_SHAPES, RESPONSE**2, axis=0).T
    moved = offsets[0] * width + x, offsets[1] * height + y
    return np.stack([*moved, np.exp(offsets[2]) * width, np.exp(offsets[3]) * height])


def square_crop(
    image: NDArray[np.uint8], centre: Point, side: int, padding: NDArray[np.uint8], size: int
) -> NDArray[np.uint8]:
    """A square of an image [H, W, 3] about a centre x, y, resized to [size, size, 3].

    Where it reaches beyond the image, that is padded with its mean colour first (2019, section 3.3, by SiamFC's crops).
    """
    height, width = image.shape[:2]
    left, top = (round(float(middle) - (side + 1) / 2) for middle in centre)
    border = [max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width)]
    if any(border):
        image = cv2.copyMakeBorder(image, *border, cv2.BORDER_CONSTANT, value=padding.tolist())  # type: ignore[assignment,call-overload]
        left, top = left + border[2], top + border[0]
    return cv2.resize(image[top : top + side, left : left + side], (size, size))  # type: ignore[return-value]


def pasted(
    probabilities: NDArray[np.float32], corner: Point, side: float, width: int, height: int, threshold: float
) -> NDArray[np.bool_]:
    """Mask probabilities [S, S] of a square, by its corner x, y and side in the image, as the frame's mask [H, W].

    2019, section 3.3: binarised by a threshold. The last pixels of image and mask are laid onto each other, as the
    release has it.
    """
    scale = len(probabilities) / side
    across, down = (width - 1) / (width * scale), (height - 1) / (height * scale)
    matrix = np.array([[across, 0, across * corner[0] * scale], [0, down, down * corner[1] * scale]])
    warped = cv2.warpAffine(probabilities, matrix, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=(-1,))
    return np.asarray(warped > np.float32(threshold))


def mask_affinity(detected: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """IoU of whole-frame masks [M, H, W] and [N, H, W], float32 [M, N] (multi-object, section 5)."""
    first, second = (masks.reshape(len(masks), -1).astype(np.float32) for masks in (detected, predicted))
    both = first @ second.T
    either = first.sum(axis=1)[:, None] + second.sum(axis=1)[None] - both
    return np.asarray(both / np.maximum(either, 1), dtype=np.float32)


def assigned(affinity: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which detection is which track: rows and columns of the best assignment (multi-object, equation 13)."""
    rows, columns = linear_sum_assignment(affinity, maximize=True)
    return rows, columns


def _whole(side: NDArray[np.float64]) -> int:
    return max(1, round(float(side)))


def _host(values: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(values.cpu().numpy())
