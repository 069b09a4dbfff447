"""Anti-aliased text on BGR images, in the font that matplotlib ships (it covers Latin, Greek and Cyrillic names)."""

from bisect import bisect_right
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.font_manager import get_font
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]


def text_size(text: str, size: int, bold: bool = False) -> tuple[int, int]:
    """Width and height in pixels that :func:`draw_text` covers; the height is the same for every text."""
    height, width = _coverage(text, size, bold).shape
    return width, height


def draw_text(
    image: NDArray[np.uint8], text: str, x: int, y: int, size: int, colour: Colour, bold: bool = False
) -> None:
    """Draw one line in place on uint8 [H, W, 3] with its top-left corner at (x, y); what leaves the image is cut."""
    coverage = _coverage(text, size, bold)
    height, width = image.shape[:2]
    top, left = max(y, 0), max(x, 0)
    bottom, right = min(y + coverage.shape[0], height), min(x + coverage.shape[1], width)
    if top >= bottom or left >= right:
        return
    weight = coverage[top - y : bottom - y, left - x : right - x, None].astype(np.float32) / 255
    patch = image[top:bottom, left:right]
    patch[:] = np.rint(patch + weight * (np.asarray(colour, dtype=np.float32) - patch)).astype(np.uint8)


def fill_box(image: NDArray[np.uint8], x: int, y: int, width: int, height: int, colour: Colour, opacity: float) -> None:
    """Blend one filled box, pixels x .. x+width-1 and y .. y+height-1, in place; what leaves the image is cut."""
    patch = image[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
    patch[:] = np.rint(patch * (1 - opacity) + np.asarray(colour) * opacity).astype(np.uint8)


def can_draw(text: str) -> bool:
    """Whether the font has a letter for each character of the text."""
    return all(character.isspace() or ord(character) in _characters() for character in text)


def shortened(text: str, size: int, width: int, bold: bool = False) -> str:
    """The text, cut with an ellipsis if it is wider than `width` pixels."""
    if text_size(text, size, bold)[0] <= width:
        return text
    lengths = range(1, len(text))
    kept = bisect_right(lengths, width, key=lambda length: text_size(text[:length] + "…", size, bold)[0])
    return text[:kept].rstrip() + "…"


@lru_cache(maxsize=4096)
def _coverage(text: str, size: int, bold: bool) -> NDArray[np.uint8]:
    # One line: a name may hold line breaks and halves of characters, which no font draws.
    text = "".join(character if character.isprintable() else " " for character in text)
    font = _font(size, bold)
    ascent, descent = font.getmetrics()
    canvas = Image.new("L", (max(1, round(font.getlength(text))), ascent + descent))
    ImageDraw.Draw(canvas).text((0, 0), text, fill=255, font=font)
    return np.asarray(canvas)


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    """The characters that the font has, by their code points."""
    return frozenset(get_font(str(_font_file("DejaVuSans.ttf"))).get_charmap())


def _font_file(name: str) -> Path:
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name


@lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(_font_file(name)), size)
