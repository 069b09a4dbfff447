"""What is drawn how, in one line of a contact sheet."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.visualize.text import Colour, draw_text, text_size

_HEIGHT = 36
_SWATCH_WIDTH, _SWATCH_HEIGHT = 42, 22
_FONT_SIZE = 13
_BACKGROUND: Colour = (28, 25, 24)
_INK: Colour = (190, 185, 185)

Swatch = Callable[[NDArray[np.uint8], int, int, int, int], None]
"""Draws on an image, uint8 [H, W, 3] BGR, in place, within x, y, w, h."""


def legend(width: int, meanings: Sequence[tuple[Swatch, str]]) -> NDArray[np.uint8]:
    """A line with a sample of each kind and what it means: uint8 [36, width, 3], BGR."""
    line = np.full((_HEIGHT, width, 3), _BACKGROUND, dtype=np.uint8)
    x = 0
    for swatch, meaning in meanings:
        swatch(line, x + 1, 2, _SWATCH_WIDTH, _SWATCH_HEIGHT)
        x += _SWATCH_WIDTH + 12
        text_width, text_height = text_size(meaning, _FONT_SIZE)
        draw_text(line, meaning, x, 2 + (_SWATCH_HEIGHT - text_height) // 2, _FONT_SIZE, _INK)
        x += text_width + 40
    return line
