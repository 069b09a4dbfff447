"""Bodies and their silhouettes: a textured outline on its way, rasterised with anti-aliasing."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.synthesis.common.motion import Trajectory
from vis_pipeline.synthesis.procedural.forms import Form
from vis_pipeline.synthesis.procedural.shapes import Contours
from vis_pipeline.synthesis.procedural.textures import Image

SUPERSAMPLING = 4


@dataclass(frozen=True)
class Body:
    """A textured outline in motion.

    Attributes:
        contours: unit-scale outline, holes after the first.
        texture: float32 [S, S, 3], BGR 0 to 255, fixed to the body.
        texture_extent: the texture spans shape coordinates from -texture_extent to +texture_extent.
    """

    contours: Contours
    form: Form
    path: Trajectory
    texture: Image
    texture_extent: float

    def outline_at(self, time: float) -> Contours:
        """Contours in frame pixels (x, y; a pixel's centre is at its index) at a fractional frame time."""
        matrix, centre = self.form.matrix(time), self.path.at(time)
        return tuple(contour @ matrix.T + centre for contour in self.form.bend(self.contours, time))


@dataclass(frozen=True)
class Window:
    """A rectangle of the frame, pixels: `left <= x < right`, `top <= y < bottom`."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the rectangle in an image [H, W, ...]."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def window_around(outlines: list[Contours], height: int, width: int) -> Window | None:
    """The part of the frame that the outlines can touch; None where they are all outside."""
    points = np.concatenate([contours[0] for contours in outlines])
    low = np.maximum(np.floor(points.min(axis=0)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 3, [width, height])
    return Window(int(low[0]), int(low[1]), int(high[0]), int(high[1])) if (low < high).all() else None


def coverage(contours: Contours, window: Window) -> NDArray[np.float32]:
    """Part of each pixel of the window that the shape covers, 0 to 1, [h, w].

    Samples on the border count, so that a shape comes out about a tenth of a pixel larger all around.
    """
    height, width = window.bottom - window.top, window.right - window.left
    fine = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING), dtype=np.uint8)
    fraction_bits = 4
    corner = np.array([window.left - 0.5, window.top - 0.5])
    polygons = [
        np.round((((contour - corner) * SUPERSAMPLING) - 0.5) * 2**fraction_bits).astype(np.int32)
        for contour in contours
    ]
    cv2.fillPoly(fine, polygons, (255,), shift=fraction_bits)
    small = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    covered: NDArray[np.float32] = np.asarray(small, dtype=np.float32) / np.float32(255)
    return covered


def outline_area(contours: Contours) -> float:
    """Area in square pixels, holes taken off, whether inside the frame or not."""
    outer, *holes = (abs(cv2.contourArea(contour.astype(np.float32))) for contour in contours)
    return float(outer - sum(holes))
