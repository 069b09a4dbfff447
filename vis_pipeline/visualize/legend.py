"""How detected and predicted masks are told apart, in one line."""

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.visualize.overlay import draw_mask
from vis_pipeline.visualize.text import Colour, draw_text, text_size

_HEIGHT = 36
_SWATCH_WIDTH, _SWATCH_HEIGHT = 42, 22
_FONT_SIZE = 13
_BACKGROUND: Colour = (28, 25, 24)
_INK: Colour = (190, 185, 185)
_MEANINGS = ((False, "detected (thick bar)"), (True, "predicted, no detection confirmed it (thin bar)"))


def legend(width: int) -> NDArray[np.uint8]:
    """A line with a mask of each kind and what it means: uint8 [36, width, 3], BGR."""
    line = np.full((_HEIGHT, width, 3), _BACKGROUND, dtype=np.uint8)
    x = 0
    for hatched, meaning in _MEANINGS:
        swatch = np.zeros((1, _HEIGHT, width), dtype=np.bool_)
        swatch[0, 2 : 2 + _SWATCH_HEIGHT, x + 1 : x + 1 + _SWATCH_WIDTH] = True
        draw_mask(line, masks.encode(swatch)[0], _INK, hatched)
        x += _SWATCH_WIDTH + 12
        text_width, text_height = text_size(meaning, _FONT_SIZE)
        draw_text(line, meaning, x, 2 + (_SWATCH_HEIGHT - text_height) // 2, _FONT_SIZE, _INK)
        x += text_width + 40
    return line
