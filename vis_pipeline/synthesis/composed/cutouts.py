"""Cut-outs: objects with a soft edge, lifted out of their photographs, bent, moved, blurred and laid over a picture.

A layer is float32 [h, w, 4]: BGR (0 to 255) already multiplied by the alpha (0 to 1) that follows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.synthesis.common.motion import Wave

Layer = NDArray[np.float32]
Matrix = NDArray[np.float64]

SOLID = 0.5
"""A pixel shows a layer where its alpha is more than this."""

_FEATHER = 0.6
_RIM = 3
_SPREAD = 4.0


@dataclass(frozen=True)
class Cutout:
    """An object on a transparent ground.

    Attributes:
        layer: the object, with a rim of at least two transparent pixels.
        centre: x, y of its centre of mass, pixels of the layer.
        area: number of solid pixels.
        radius: largest distance of a solid pixel from the centre.
    """

    layer: Layer
    centre: NDArray[np.float64]
    area: int
    radius: float

    @property
    def mean_colour(self) -> NDArray[np.float64]:
        """Mean BGR over the object, float64 [3]."""
        sums = self.layer.sum(axis=(0, 1), dtype=np.float64)
        return np.asarray(sums[:3] / sums[3])


def lift(image: NDArray[np.uint8], alpha: NDArray[np.float32], size: float) -> Cutout | None:
    """Lift an object, its `alpha` [H, W] 0 to 1, out of a picture [H, W, 3], shrunk to `size` (root of area) pixels.

    It is never enlarged. Colours near the edge come from farther inside, so that no halo of the old background goes
    along. None where nothing solid is left.
    """
    solid = alpha > SOLID
    if not solid.any():
        return None
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    colours, alpha = _inner_colours(image[part], solid[part]), alpha[part]
    scale = min(1.0, size / float(np.sqrt(solid.sum())))
    shape = (max(1, round(alpha.shape[1] * scale)), max(1, round(alpha.shape[0] * scale)))
    colours = np.asarray(cv2.resize(colours, shape, interpolation=cv2.INTER_AREA), dtype=np.float32)
    alpha = np.asarray(cv2.resize(alpha, shape, interpolation=cv2.INTER_AREA), dtype=np.float32)
    alpha = np.asarray(cv2.GaussianBlur(np.pad(alpha, _RIM), (0, 0), _FEATHER), dtype=np.float32)
    colours = np.pad(colours, ((_RIM, _RIM), (_RIM, _RIM), (0, 0)), mode="edge")
    layer = np.concatenate([colours * alpha[..., None], alpha[..., None]], axis=2)
    return _cutout(layer)


def soft_mask(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The alpha of a drawn mask, [H, W]: a pixel is taken off all around, for outlines run over into the background."""
    drawn = np.asarray(mask, dtype=np.uint8)
    inner = cv2.erode(drawn, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return np.asarray(inner, dtype=np.float32)


def tinted(cutout: Cutout, gain: NDArray[np.float64]) -> Cutout:
    """The cut-out with its BGR multiplied by `gain` [3] and kept to 255."""
    layer = cutout.layer.copy()
    layer[..., :3] = np.minimum(layer[..., :3] * gain.astype(np.float32), 255 * layer[..., 3:])
    return Cutout(layer, cutout.centre, cutout.area, cutout.radius)


def widened(cutout: Cutout, rim: int) -> Cutout:
    """The cut-out with `rim` more transparent pixels all around, into which it can bend."""
    layer = np.pad(cutout.layer, ((rim, rim), (rim, rim), (0, 0)))
    return Cutout(layer, cutout.centre + rim, cutout.area, cutout.radius)


@dataclass(frozen=True)
class Bend:
    """Waves that run through a cut-out: rows move sideways, columns up and down.

    `sideways` and `upright` give the displacement in pixels against the angle that runs along the object, `turns`
    waves from one end of it to the other.
    """

    sideways: Wave
    upright: Wave
    turns: tuple[float, float]

    def apply(self, layer: Layer, time: float) -> Layer:
        """The layer as it is bent at `time`; same size."""
        height, width = layer.shape[:2]
        rows, columns = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
        across = _running(self.sideways, rows / height * self.turns[0], time)
        down = _running(self.upright, columns / width * self.turns[1], time)
        map_x = columns[None, :] + across[:, None]
        map_y = rows[:, None] + down[None, :]
        return np.asarray(cv2.remap(layer, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.float32)


@dataclass(frozen=True)
class Patch:
    """A layer at its place in a frame: its top-left pixel is (`left`, `top`); wholly inside the frame."""

    left: int
    top: int
    layer: Layer

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its place in an image [H, W, ...]."""
        height, width = self.layer.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    @property
    def solid(self) -> NDArray[np.bool_]:
        """Where it is solid, [h, w]."""
        return np.asarray(self.layer[..., 3] > SOLID)


def place(layer: Layer, matrices: Sequence[Matrix], blur: float, height: int, width: int) -> Patch | None:
    """Lay a layer into a frame, averaged over moments (one float64 [2, 3] each, layer to frame pixels).

    `blur` is the standard deviation of a Gaussian over the result, pixels. None where it is out of the frame.
    """
    box = _touched(layer, matrices, blur, height, width)
    if box is None:
        return None
    left, top, right, bottom = box
    total: Layer = np.zeros((bottom - top, right - left, 4), dtype=np.float32)
    for matrix in matrices:
        shifted = matrix - [[0, 0, left], [0, 0, top]]
        total += cv2.warpAffine(layer, shifted, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    total /= np.float32(len(matrices))
    if blur:
        # A blurred picture goes on beyond the frame's edge: mirrored, the object does not fade there.
        total = np.asarray(cv2.GaussianBlur(total, (0, 0), blur, borderType=cv2.BORDER_REFLECT), dtype=np.float32)
    return Patch(left, top, total)


def lay_over(canvas: NDArray[np.float32], patch: Patch) -> None:
    """Blend a patch into the canvas [H, W, 3], BGR 0 to 255, in place."""
    under = canvas[patch.slices]
    under *= 1 - patch.layer[..., 3:]
    under += patch.layer[..., :3]


def _cutout(layer: Layer) -> Cutout | None:
    rows, columns = np.nonzero(layer[..., 3] > SOLID)
    if not len(rows):
        return None
    centre = np.array([columns.mean(), rows.mean()])
    radius = float(np.hypot(columns - centre[0], rows - centre[1]).max())
    return Cutout(layer, centre, len(rows), radius)


def _inner_colours(image: NDArray[np.uint8], solid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The colours of the solid pixels, and around them those of the nearest ones, smoothed; float32 [H, W, 3]."""
    inside = solid.astype(np.float32)[..., None]
    colours = image.astype(np.float32)
    spread = cv2.GaussianBlur(np.concatenate([colours * inside, inside], axis=2), (0, 0), _SPREAD)
    mean = (colours * inside).sum(axis=(0, 1)) / inside.sum()
    around = (spread[..., :3] + 1e-3 * mean) / (spread[..., 3:] + 1e-3)
    return np.asarray(np.where(inside > 0, colours, around), dtype=np.float32)


def _running(wave: Wave, turns: NDArray[np.float32], time: float) -> NDArray[np.float32]:
    angle = 2 * np.pi * turns + wave.frequency * time + wave.phase
    return np.asarray(wave.amplitude * np.sin(angle), dtype=np.float32)


def _touched(
    layer: Layer, matrices: Sequence[Matrix], blur: float, height: int, width: int
) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the part of the frame that the layer can touch."""
    bottom, right = layer.shape[0] - 1, layer.shape[1] - 1
    corners = np.array([[0, 0, 1], [right, 0, 1], [0, bottom, 1], [right, bottom, 1]], dtype=np.float64)
    points = np.concatenate([corners @ matrix.T for matrix in matrices])
    margin = int(np.ceil(3 * blur))
    low = np.maximum(np.floor(points.min(axis=0)).astype(int) - margin, 0)
    high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 1 + margin, [width, height])
    return (int(low[0]), int(low[1]), int(high[0]), int(high[1])) if (low < high).all() else None
