"""Between VOT's regions and a tracker's boxes: what a tracker starts from, and what of its results is written."""

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.masks.rotated_boxes import minmax_box, optimal_box
from vis_pipeline.protocols.benchmark import BoxKind
from vis_pipeline.trackers.siammask.rotated_box import SMALLEST_AREA, corners
from vis_pipeline.trackers.single_object import ObjectInFrame

Region = NDArray[np.float64]
"""x, y, width, height [4], or the corners x1, y1 ... x4, y4 [8], in pixels."""

DECIMALS = 4
# Boxes of masks count from the corner of the first pixel, a polygon of VOT from its centre.
PIXEL_CENTRE = 0.5


def upright_box(region: Region) -> NDArray[np.float64]:
    """The box x, y, w, h, float64 [4], that SiamMask starts from, as its release makes it of a region of VOT.

    Of a polygon: the upright box around it, shrunk about the mean of the corners until it has the area of the rotated
    rectangle (the product of the polygon's first two sides), and a pixel larger. A rectangle is taken as it is. Numbers
    count to four decimals: more do not go through TraX.
    """
    numbers: NDArray[np.float64] = np.round(region, DECIMALS).astype(np.float64)
    if len(numbers) == 4:
        return numbers
    points = numbers.reshape(4, 2)
    sides = np.hypot(*np.diff(points[:3], axis=0).T)
    extent = np.ptp(points, axis=0)
    size = extent * np.sqrt(sides.prod() / extent.prod()) + 1
    return np.concatenate([points.mean(axis=0) - size / 2, size])


def region_of(found: ObjectInFrame, kind: BoxKind) -> Region:
    """A tracker's result as a region: a rectangle of the state and of Min-max, the corners of MBR and Opt.

    VOT's polygons count from the centre of the first pixel, as MBR of the release does; Opt is moved there. To four
    decimals, as the release writes them. A mask of hardly more than nothing has the state's box, by the
    release's bound (:data:`~vis_pipeline.trackers.siammask.rotated_box.SMALLEST_AREA`).
    """
    return np.asarray(np.round(_region(found, kind), DECIMALS))


def line_of(region: Region) -> str:
    """A region as a line of a result file."""
    return ",".join(f"{value:.{DECIMALS}f}" for value in region)


def _region(found: ObjectInFrame, kind: BoxKind) -> Region:
    if kind == "mbr":
        return found.rotated_box.ravel()
    if kind == "state" or found.mask is None or masks.area([found.mask])[0] <= SMALLEST_AREA:
        return corners(found.box).ravel() if kind == "opt" else found.box
    mask = masks.decode(found.mask)
    if kind == "opt":
        return (optimal_box(mask) - PIXEL_CENTRE).ravel()
    box = minmax_box(mask)
    return np.concatenate([box[0], box[2] - box[0]])
