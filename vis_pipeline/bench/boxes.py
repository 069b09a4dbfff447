"""The ways to make a box of a mask, beside rotated boxes that are known (SiamMask multi-object, Table 4)."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.masks.quadrilaterals import polygon_area, quadrilateral_iou, upright_corners
from vis_pipeline.masks.rotated_boxes import minimum_area_box, minmax_box, optimal_box
from vis_pipeline.trackers.siammask.rotated_box import rotated_box

_HEIGHT, _WIDTH = 240, 320
FORMS = ("rectangle", "ellipse", "l", "limb")
_LIMB = 0.12
_NOTCH = 0.5


@dataclass(frozen=True)
class MaskWithBox:
    """One frame: a mask, bool [H, W], its true box and that of its sequence's first frame, corners [4, 2] in pixels."""

    mask: NDArray[np.bool_]
    box: NDArray[np.float64]
    first: NDArray[np.float64]


@dataclass(frozen=True)
class BoxQuality:
    """How well one way makes boxes.

    Attributes:
        way: its name.
        masks: how many.
        mean_iou: of its boxes and the true ones, over all masks.
        at_half: the part of the masks whose IoU is 0.5 or more; with one box a frame that is the precision and the
            recall, and so the average precision.
        at_seventy: the same at 0.7.
        milliseconds: that a mask takes, mean.
    """

    way: str
    masks: int
    mean_iou: float
    at_half: float
    at_seventy: float
    milliseconds: float


Way = Callable[[NDArray[np.bool_]], NDArray[np.float64]]


def release_box(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """MBR as the official release has it: of the largest part, through the centres of its outermost pixels."""
    (left, top), (right, bottom) = minmax_box(mask)[[0, 2]]
    return rotated_box(mask, np.array([left, top, right - left, bottom - top]))


def fixed_ratio_box(box: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Table 4's oracle of a fixed aspect ratio: upright, with a box's centre and area, shaped like the first frame's.

    The paper does not say what the ratio of a rotated box is; here it is that of the upright box around it.
    """
    width, height = np.ptp(first, axis=0)
    scale = np.sqrt(polygon_area(box) / (width * height))
    x, y = box.mean(axis=0)
    return box_corners(x, y, width * scale, height * scale, 0.0)


WAYS: Mapping[str, Way] = {
    "Min-max": minmax_box,
    "MBR": minimum_area_box,
    "MBR, release": release_box,
    "Opt": optimal_box,
}


def qualities(cases: Iterable[MaskWithBox], ways: Mapping[str, Way] = WAYS) -> list[BoxQuality]:
    """Each way's boxes against the true ones; first Table 4's two oracles that know the true one.

    `cases` holds one at least, and no empty mask; they are taken one by one.
    """
    fixed: list[float] = []
    upright: list[float] = []
    overlaps: dict[str, list[float]] = {name: [] for name in ways}
    seconds = dict.fromkeys(ways, 0.0)
    for case in cases:
        fixed.append(quadrilateral_iou(case.box, fixed_ratio_box(case.box, case.first)))
        upright.append(quadrilateral_iou(case.box, upright_corners(case.box)))
        for name, way in ways.items():
            if len(upright) == 1:
                way(case.mask)  # the first call compiles
            begun = time.perf_counter()
            box = way(case.mask)
            seconds[name] += time.perf_counter() - begun
            overlaps[name].append(quadrilateral_iou(case.box, box))
    return [
        quality("fixed ratio, oracle", fixed, 0.0),
        quality("Min-max, oracle", upright, 0.0),
        *(quality(name, overlaps[name], seconds[name]) for name in ways),
    ]


def quality(name: str, overlaps: Sequence[float], seconds: float) -> BoxQuality:
    """What overlaps, one or more, and the seconds that the boxes took altogether, come to."""
    values = np.array(overlaps)
    # An IoU of exactly 0.5 must not fall to the rounding of a sum.
    at_half, at_seventy = (float((values >= threshold - 1e-9).mean()) for threshold in (0.5, 0.7))
    return BoxQuality(name, len(values), float(values.mean()), at_half, at_seventy, 1000 * seconds / len(values))


def drawn_cases(count: int, seed: int) -> dict[str, list[MaskWithBox]]:
    """So many masks of each form in random rotated boxes, which are the true ones; the same for the same seed.

    Those of a form count as one sequence. Boxes are 40 to 140 pixels long and 0.3 to 1 times as wide, inside 320x240.
    """
    generator = np.random.default_rng(seed)
    cases: dict[str, list[MaskWithBox]] = {}
    for form in FORMS:
        cases[form] = []
        for _ in range(count):
            length = generator.uniform(40, 140)
            angle, ratio = generator.uniform(0, np.pi), generator.uniform(0.3, 1)
            box = box_corners(_WIDTH / 2, _HEIGHT / 2, length, ratio * length, angle) + generator.uniform(-25, 25, 2)
            first = cases[form][0].box if cases[form] else box
            cases[form].append(MaskWithBox(filled(form, box, (_HEIGHT, _WIDTH)), box, first))
    return cases


def box_corners(x: float, y: float, w: float, h: float, angle: float) -> NDArray[np.float64]:
    """Corners [4, 2], clockwise in the image, of a rectangle by its centre, sides and angle in radians."""
    across = np.array([np.cos(angle), np.sin(angle)]) * w / 2
    down = np.array([-np.sin(angle), np.cos(angle)]) * h / 2
    return np.asarray(np.array([x, y]) + np.array([-across - down, across - down, across + down, down - across]))


def filled(form: str, box: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """A form drawn in a rectangle [4, 2], bool [H, W] of `size`: the pixels whose centre is inside.

    A rectangle and an ellipse fill it; an *l* lacks a quarter of it; a *limb* is a rectangle with a thin strip, an
    eighth of its width and half its length, that sticks out of the box.
    """
    across, down = box[1] - box[0], box[3] - box[0]
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    u = ((x - box[0, 0]) * across[0] + (y - box[0, 1]) * across[1]) / (across @ across)
    v = ((x - box[0, 0]) * down[0] + (y - box[0, 1]) * down[1]) / (down @ down)
    within = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
    if form == "ellipse":
        return np.asarray((2 * u - 1) ** 2 + (2 * v - 1) ** 2 <= 1)
    if form == "l":
        return np.asarray(within & ((u <= _NOTCH) | (v >= _NOTCH)))
    if form == "limb":
        return np.asarray(within | ((u > 1) & (u <= 1.5) & (v >= 1 - _LIMB) & (v <= 1)))
    return np.asarray(within)
