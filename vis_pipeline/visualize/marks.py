"""What marks an object on a frame: its mask's tint and outline, boxes, and the way it came."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.masks import Rle
from vis_pipeline.visualize.style import TRACK_STYLE, Part, Style
from vis_pipeline.visualize.text import Colour

SHORT_SIDE = 360
"""Pixels; frames with a shorter side are enlarged before they are drawn on, and lines on them have no rim."""

_RIM: Colour = (20, 20, 20)
_HALO = 2
# Boxes may lie far beyond the frame; what is drawn of them need not, and OpenCV counts in 16 bits.
_FARTHEST = 30_000.0


def draw_mask(
    canvas: NDArray[np.uint8], rle: Rle, colour: Colour, hatched: bool = False, style: Style = TRACK_STYLE
) -> None:
    """Tint a mask's inside and outline it as the style says, in place; scaled to the canvas, uint8 [H, W, 3]."""
    height, width = canvas.shape[:2]
    left, top, mask = scaled_mask(rle, height, width)
    period = _hatching(height, width)
    if Part.FILL in style:
        tinted = mask & _stripes(left, top, mask.shape, period) if hatched else mask
        patch = canvas[top : top + mask.shape[0], left : left + mask.shape[1]]
        tint = np.asarray(colour, dtype=np.float32) * style.opacity
        patch[tinted] = np.rint(patch[tinted] * (1 - style.opacity) + tint).astype(np.uint8)
    if Part.CONTOUR in style:
        found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(left, top))
        contours = [np.asarray(contour, dtype=np.int32) for contour in found]
        lines, closed = (_dashes(contours, period), False) if hatched else (contours, True)
        _draw_lines(canvas, lines, closed, colour, line_thickness(height, width))


def draw_sample(
    canvas: NDArray[np.uint8],
    x: int,
    y: int,
    w: int,
    h: int,
    colour: Colour,
    hatched: bool,
    style: Style = TRACK_STYLE,
) -> None:
    """Draw a mask that fills the box x, y, w, h in place, for a legend."""
    mask = np.zeros((1, *canvas.shape[:2]), dtype=np.bool_)
    mask[0, y : y + h, x : x + w] = True
    draw_mask(canvas, masks.encode(mask)[0], colour, hatched, style)


def draw_box(canvas: NDArray[np.uint8], corners: NDArray[np.float64], colour: Colour, broken: bool = False) -> None:
    """Draw a closed line through the corners x, y [N, 2], in pixels of the canvas, in place."""
    points = np.rint(np.clip(corners, -_FARTHEST, _FARTHEST)).astype(np.int32)
    height, width = canvas.shape[:2]
    lines = _dashes([_pixels_along(points, height, width)], _hatching(height, width)) if broken else [points]
    _draw_lines(canvas, lines, not broken, colour, max(1, line_thickness(height, width) - 1))


def draw_trail(canvas: NDArray[np.uint8], points: NDArray[np.float64], colour: Colour) -> None:
    """Draw the way through points x, y [N, 2] in pixels, the oldest first, in place; it grows to a dot at the last one.

    Where a point is NaN the object was not seen, and there is a gap.
    """
    height, width = canvas.shape[:2]
    known: NDArray[np.bool_] = np.asarray(np.isfinite(points).all(axis=1))
    places = np.rint(np.clip(np.where(known[:, None], points, 0), -_FARTHEST, _FARTHEST)).astype(np.int32)
    full = line_thickness(height, width) + 1
    steps = [step for step in range(1, len(points)) if known[step - 1] and known[step]]
    for shade, wider in ((_RIM, max(1, rim(height, width))), (colour, 0)):
        for step in steps:
            thickness = max(1, round(full * (step + 1) / len(points)))
            cv2.line(canvas, places[step - 1].tolist(), places[step].tolist(), shade, thickness + wider, cv2.LINE_AA)
        if len(points) and known[-1]:
            cv2.circle(canvas, places[-1].tolist(), full + 1 + wider // 2, shade, cv2.FILLED, cv2.LINE_AA)


def box_corners(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """The four corners x, y of a box x, y, w, h, float64 [4, 2]."""
    x, y, w, h = box
    return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])


def as_colour(colour: NDArray[np.uint8]) -> Colour:
    """BGR, uint8 [3], as numbers that OpenCV takes."""
    blue, green, red = (int(value) for value in colour)
    return blue, green, red


def line_thickness(height: int, width: int) -> int:
    """Thickness in pixels of outlines on a frame of this size."""
    return max(1, round(min(height, width) / 220))


def rim(height: int, width: int) -> int:
    """By how many pixels the dark rim of lines makes them thicker on a frame of this size."""
    side = min(height, width)
    return max(_HALO, round(side / SHORT_SIDE)) if side >= SHORT_SIDE else 0


def scaled_mask(rle: Rle, height: int, width: int) -> tuple[int, int, NDArray[np.bool_]]:
    """The mask cut to its box at the canvas's scale: left, top and bool [h, w]."""
    x, y, w, h = (int(value) for value in masks.bounding_boxes([rle])[0])
    cut = masks.decode(rle)[y : y + h, x : x + w]
    mask_height, mask_width = rle["size"]
    if (mask_height, mask_width) == (height, width):
        return x, y, cut
    left, right = round(x * width / mask_width), round((x + w) * width / mask_width)
    top, bottom = round(y * height / mask_height), round((y + h) * height / mask_height)
    left, top = min(left, width - 1), min(top, height - 1)
    size = (max(right - left, 1), max(bottom - top, 1))
    shrinks = height < mask_height
    scaled = cv2.resize(cut.astype(np.float32), size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return left, top, np.asarray(scaled >= 0.5)


def scaled_box(rle: Rle, height: int, width: int) -> NDArray[np.float64]:
    """The mask's box x, y, w, h at the canvas's scale, float64 [4]."""
    scale = np.array([width / rle["size"][1], height / rle["size"][0]] * 2)
    return np.asarray(masks.bounding_boxes([rle])[0] * scale)


def middle(rle: Rle, height: int, width: int) -> tuple[int, int]:
    """The mask's pixel (x, y) that is nearest to its centre of mass, at the canvas's scale."""
    left, top, mask = scaled_mask(rle, height, width)
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return left, top
    nearest = np.argmin(np.square(rows - rows.mean()) + np.square(columns - columns.mean()))
    return left + int(columns[nearest]), top + int(rows[nearest])


def _hatching(height: int, width: int) -> int:
    """Pixels from stripe to stripe on a frame of this size."""
    return max(6, round(min(height, width) / 50))


def _stripes(left: int, top: int, shape: tuple[int, ...], period: int) -> NDArray[np.bool_]:
    """Diagonal stripes that lie still in the frame, bool [h, w], for the part of it that begins at (left, top)."""
    rows, columns = np.arange(top, top + shape[0]), np.arange(left, left + shape[1])
    return np.asarray((rows[:, None] + columns) % period < period / 2)


def _draw_lines(
    canvas: NDArray[np.uint8], lines: Sequence[NDArray[np.int32]], closed: bool, colour: Colour, thickness: int
) -> None:
    """Draw lines, in place, with a dark rim where there is room for one."""
    if halo := rim(*canvas.shape[:2]):
        cv2.polylines(canvas, lines, closed, _RIM, thickness + halo, cv2.LINE_AA)
    cv2.polylines(canvas, lines, closed, colour, thickness, cv2.LINE_AA)


def _pixels_along(points: NDArray[np.int32], height: int, width: int) -> NDArray[np.int32]:
    """A closed line's points one pixel apart, those in the frame, as contours have them: int32 [n, 1, 2]."""
    sides = []
    for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        inside, first, last = cv2.clipLine((-1, -1, width + 2, height + 2), start.tolist(), end.tolist())
        if inside:
            steps = max(abs(last[0] - first[0]), abs(last[1] - first[1]), 1)
            sides.append(np.linspace(first, last, steps, endpoint=False))
    whole = np.concatenate(sides) if sides else np.zeros((0, 2))
    return np.rint(whole).astype(np.int32)[:, None]


def _dashes(contours: Sequence[NDArray[np.int32]], length: int) -> list[NDArray[np.int32]]:
    """Every other stretch of so many points of closed contours, [n, 1, 2] each."""
    return [contour[start : start + length] for contour in contours for start in range(0, len(contour), 2 * length)]
