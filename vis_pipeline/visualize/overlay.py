"""Masks, outlines and labels over one frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.masks import Rle
from vis_pipeline.visualize.labels import PlacedLabel, place_labels
from vis_pipeline.visualize.text import Colour, draw_text, fill_box, text_size

_BACKING: Colour = (20, 20, 20)
_TEXT: Colour = (255, 255, 255)
_MASK_OPACITY = 0.42
_BACKING_OPACITY = 0.78
_SHORT_SIDE = 360
_HALO = 2


@dataclass(frozen=True)
class Label:
    """What is written at an object: `full`, or `short` where `full` does not fit."""

    full: str
    short: str


def enlarged(image: NDArray[np.uint8], short_side: int = _SHORT_SIDE) -> NDArray[np.uint8]:
    """The image [H, W, 3] enlarged by the smallest whole factor that brings its short side to `short_side` pixels."""
    height, width = image.shape[:2]
    factor = -(-short_side // min(height, width))
    if factor <= 1:
        return image
    return np.asarray(
        cv2.resize(image, (width * factor, height * factor), interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )


def draw_tracks(
    image: NDArray[np.uint8],
    rles: Sequence[Rle | None],
    labels: Sequence[Label],
    colours: NDArray[np.uint8],
    caption: str = "",
) -> NDArray[np.uint8]:
    """A copy of `image` (uint8 [H, W, 3], BGR) with N tracks drawn, the first track on top.

    `rles[i]` is track i's mask in this frame (None or empty: not drawn); masks of another size than the image's are
    scaled to it, so that a frame may be enlarged before. `colours` is uint8 [N, 3], BGR. `caption` goes to the bottom
    left corner. Labels choose their places from the first track on; where a frame is too full for a label, only the
    outline shows.
    """
    canvas: NDArray[np.uint8] = image.copy()
    height, width = canvas.shape[:2]
    visible = [index for index, rle in enumerate(rles) if rle is not None and masks.area([rle])[0] > 0]
    thickness = max(1, round(min(height, width) / 220))
    halo = _HALO if min(height, width) >= _SHORT_SIDE else 0
    for index in reversed(visible):
        rle = rles[index]
        assert rle is not None
        _draw_mask(canvas, rle, _as_colour(colours[index]), thickness, halo)
    size = label_font_size(height, width)
    reserved = [_draw_caption(canvas, caption, size)] if caption else []
    _draw_labels(canvas, visible, rles, labels, colours, size, reserved)
    return canvas


def label_font_size(height: int, width: int) -> int:
    """Font size in pixels for labels on a frame of this size."""
    return max(11, round(min(height, width) / 30))


def _draw_mask(canvas: NDArray[np.uint8], rle: Rle, colour: Colour, thickness: int, halo: int) -> None:
    left, top, mask = _scaled_mask(rle, canvas.shape[0], canvas.shape[1])
    patch = canvas[top : top + mask.shape[0], left : left + mask.shape[1]]
    tint = np.asarray(colour, dtype=np.float32) * _MASK_OPACITY
    patch[mask] = np.rint(patch[mask] * (1 - _MASK_OPACITY) + tint).astype(np.uint8)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if halo:
        cv2.drawContours(canvas, contours, -1, _BACKING, thickness + halo, cv2.LINE_AA, offset=(left, top))
    cv2.drawContours(canvas, contours, -1, colour, thickness, cv2.LINE_AA, offset=(left, top))


def _scaled_mask(rle: Rle, height: int, width: int) -> tuple[int, int, NDArray[np.bool_]]:
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


def _draw_labels(
    canvas: NDArray[np.uint8],
    visible: Sequence[int],
    rles: Sequence[Rle | None],
    labels: Sequence[Label],
    colours: NDArray[np.uint8],
    size: int,
    reserved: Sequence[tuple[int, int, int, int]],
) -> None:
    if not visible:
        return
    height, width = canvas.shape[:2]
    wordings = [(labels[index].full, labels[index].short) for index in visible]
    boxes = np.stack([_scaled_box(rles[index], height, width) for index in visible])
    sizes = [[_label_size(text, size) for text in texts] for texts in wordings]
    for index, texts, place in zip(
        visible, wordings, place_labels(boxes, sizes, (height, width), reserved), strict=True
    ):
        if place is not None:
            _draw_label(canvas, texts[place.wording], place, size, _as_colour(colours[index]))


def _scaled_box(rle: Rle | None, height: int, width: int) -> NDArray[np.float64]:
    assert rle is not None
    scale = np.array([width / rle["size"][1], height / rle["size"][0]] * 2)
    return np.asarray(masks.bounding_boxes([rle])[0] * scale)


def _label_size(text: str, size: int) -> tuple[int, int]:
    width, height = text_size(text, size, bold=True)
    return width + _bar(size) + 2 * _padding(size), height + 2


def _draw_label(canvas: NDArray[np.uint8], text: str, place: PlacedLabel, size: int, colour: Colour) -> None:
    width, height = _label_size(text, size)
    fill_box(canvas, place.x, place.y, width, height, _BACKING, _BACKING_OPACITY)
    fill_box(canvas, place.x, place.y, _bar(size), height, colour, 1.0)
    draw_text(canvas, text, place.x + _bar(size) + _padding(size), place.y + 1, size, _TEXT, bold=True)


def _draw_caption(canvas: NDArray[np.uint8], caption: str, size: int) -> tuple[int, int, int, int]:
    """Draw the caption and return its area as x, y, w, h."""
    width, height = text_size(caption, size)
    area = (0, canvas.shape[0] - height - 4, width + 2 * _padding(size), height + 4)
    fill_box(canvas, *area, _BACKING, _BACKING_OPACITY)
    draw_text(canvas, caption, _padding(size), area[1] + 2, size, _TEXT)
    return area


def _bar(size: int) -> int:
    return max(3, size // 3)


def _padding(size: int) -> int:
    return max(3, size // 4)


def _as_colour(colour: NDArray[np.uint8]) -> Colour:
    blue, green, red = (int(value) for value in colour)
    return blue, green, red
