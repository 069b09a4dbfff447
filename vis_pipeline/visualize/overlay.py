"""Masks, outlines and labels over one frame."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.masks import Rle
from vis_pipeline.visualize.labels import PlacedLabel, gap, place_labels
from vis_pipeline.visualize.marks import (
    SHORT_SIDE,
    as_colour,
    box_corners,
    draw_box,
    draw_mask,
    draw_trail,
    line_thickness,
    middle,
    rim,
    scaled_box,
)
from vis_pipeline.visualize.style import TRACK_STYLE, Part, Style
from vis_pipeline.visualize.text import Colour, draw_text, fill_box, shortened, text_size

_BACKING: Colour = (20, 20, 20)
_TEXT: Colour = (255, 255, 255)
_BACKING_OPACITY = 0.78
_LONGEST_ENLARGED = 4096
# The caption takes at most this share of a frame's height, or there is none.
_MOST_CAPTION = 0.25


@dataclass(frozen=True)
class Label:
    """What is written at an object: `full`, or `short` where `full` does not fit."""

    full: str
    short: str


def enlarged(image: NDArray[np.uint8], short_side: int = SHORT_SIDE) -> NDArray[np.uint8]:
    """The image [H, W, 3] enlarged by the smallest whole factor that brings its short side to `short_side` pixels.

    The factor is less where the long side would pass 4096 pixels.
    """
    height, width = image.shape[:2]
    factor = min(-(-short_side // min(height, width)), _LONGEST_ENLARGED // max(height, width))
    if factor <= 1:
        return image
    return np.asarray(
        cv2.resize(image, (width * factor, height * factor), interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )


class TrackPainter:
    """Draws N tracks on the frames of one video, one frame after another; labels stay where they were if they can.

    `colours` is uint8 [N, 3], BGR. All frames have one size.
    """

    def __init__(self, labels: Sequence[Label], colours: NDArray[np.uint8], style: Style = TRACK_STYLE) -> None:
        self._labels = labels
        self._colours = [as_colour(colour) for colour in colours]
        self._style = style
        self._places: dict[int, PlacedLabel | None] = {}

    def call(self, labels: Sequence[Label], colours: NDArray[np.uint8]) -> None:
        """Other names and colours from now on, of as many tracks or more."""
        self._labels = labels
        self._colours = [as_colour(colour) for colour in colours]

    def draw(
        self,
        image: NDArray[np.uint8],
        rles: Sequence[Rle | None],
        caption: str = "",
        predicted: Collection[int] = (),
        trails: Sequence[NDArray[np.float64]] = (),
    ) -> NDArray[np.uint8]:
        """A copy of `image` (uint8 [H, W, 3], BGR) with the tracks drawn, the first track on top.

        `rles[i]` is track i's mask in this frame (None or empty: not drawn); masks of another size than the image's are
        scaled to it, so that a frame may be enlarged before. The tracks `predicted` are hatched in a broken outline.
        `trails[i]` is the way of track i, see :func:`draw_trail`. `caption` goes to the bottom left corner. Labels
        choose their places from the first track on; one that could not stay at its object has a line to it.
        """
        canvas: NDArray[np.uint8] = image.copy()
        seen = {index: rle for index, rle in enumerate(rles) if rle is not None and masks.area([rle])[0] > 0}
        for index, rle in reversed(seen.items()):
            draw_mask(canvas, rle, self._colours[index], index in predicted, self._style)
        for index, trail in reversed([*enumerate(trails)]):
            draw_trail(canvas, trail, self._colours[index])
        if Part.BOXES in self._style:
            for index, rle in reversed(seen.items()):
                corners = box_corners(scaled_box(rle, *canvas.shape[:2]))
                draw_box(canvas, corners, self._colours[index], broken=index in predicted)
        size = label_font_size(*canvas.shape[:2])
        reserved = draw_caption(canvas, caption, size)
        if Part.LABELS in self._style:
            self._draw_labels(canvas, seen, size, reserved)
        return canvas

    def _draw_labels(
        self,
        canvas: NDArray[np.uint8],
        seen: dict[int, Rle],
        size: int,
        reserved: Sequence[tuple[int, int, int, int]],
    ) -> None:
        height, width = canvas.shape[:2]
        boxes = np.array([scaled_box(rle, height, width) for rle in seen.values()]).reshape(-1, 4)
        wordings = [(self._labels[index].full, self._labels[index].short) for index in seen]
        sizes = [[label_size(text, size) for text in texts] for texts in wordings]
        before = [self._places.get(index) for index in seen]
        places = place_labels(boxes, sizes, (height, width), reserved, before)
        self._places = dict(zip(seen, places, strict=True))
        drawn = [
            (place, index, box, texts[place.wording], label_sizes[place.wording])
            for place, index, box, texts, label_sizes in zip(places, seen, boxes, wordings, sizes, strict=True)
            if place is not None
        ]
        for place, index, box, _, extent in drawn:
            if gap(box, place, extent) > extent[1] / 2:
                _draw_leader(canvas, place, extent, middle(seen[index], height, width), self._colours[index])
        for place, index, _, text, _ in drawn:
            draw_label(canvas, text, place.x, place.y, size, self._colours[index])


def label_font_size(height: int, width: int) -> int:
    """Font size in pixels for labels on a frame of this size."""
    return max(11, round(min(height, width) / 30))


def label_size(text: str, size: int) -> tuple[int, int]:
    """Width and height in pixels of a label in this font size."""
    width, height = text_size(text, size, bold=True)
    return width + _bar(size) + 2 * _padding(size), height + 2


def draw_label(canvas: NDArray[np.uint8], text: str, x: int, y: int, size: int, colour: Colour) -> None:
    """Draw a label, as large as :func:`label_size` says, with its top-left corner at (x, y), in place."""
    width, height = label_size(text, size)
    fill_box(canvas, x, y, width, height, _BACKING, _BACKING_OPACITY)
    fill_box(canvas, x, y, _bar(size), height, colour, 1.0)
    draw_text(canvas, text, x + _bar(size) + _padding(size), y + 1, size, _TEXT, bold=True)


def draw_caption(canvas: NDArray[np.uint8], caption: str, size: int) -> list[tuple[int, int, int, int]]:
    """Draw a line into the bottom left corner and give the areas x, y, w, h that it takes.

    An empty line, and one on a frame too low for it, takes none.
    """
    if not caption:
        return []
    shown = shortened(caption, size, max(canvas.shape[1] - 2 * _padding(size), 1))
    width, height = text_size(shown, size)
    if height > _MOST_CAPTION * canvas.shape[0]:
        return []
    area = (0, canvas.shape[0] - height - 4, min(width + 2 * _padding(size), canvas.shape[1]), height + 4)
    fill_box(canvas, *area, _BACKING, _BACKING_OPACITY)
    draw_text(canvas, shown, _padding(size), area[1] + 2, size, _TEXT)
    return [area]


def _draw_leader(
    canvas: NDArray[np.uint8], place: PlacedLabel, extent: tuple[int, int], point: tuple[int, int], colour: Colour
) -> None:
    """A line from a label to a point of its object, where it ends in a dot."""
    thickness = max(1, line_thickness(*canvas.shape[:2]) - 1)
    start = (
        min(max(point[0], place.x), place.x + extent[0] - 1),
        min(max(point[1], place.y), place.y + extent[1] - 1),
    )
    halo = rim(*canvas.shape[:2])
    for shade, wider in ((_BACKING, halo), (colour, 0)):
        cv2.line(canvas, start, point, shade, thickness + wider, cv2.LINE_AA)
        cv2.circle(canvas, point, thickness + 1 + wider // 2, shade, cv2.FILLED, cv2.LINE_AA)


def _bar(size: int) -> int:
    return max(3, size // 3)


def _padding(size: int) -> int:
    return max(3, size // 4)
