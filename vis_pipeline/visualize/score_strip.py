"""The score of one object over a video, as a chart for its contact sheet."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.visualize.text import Colour, draw_text, fill_box, text_size
from vis_pipeline.visualize.timeline import coverage, draw_axis

FILL = 0.65
"""How strong the colour under the curve is, 0..1."""

_CHART_HEIGHT = 100
_AXIS_HEIGHT = 22
_NAMES_WIDTH = 60
_FONT_SIZE = 13
_BACKGROUND: Colour = (28, 25, 24)
_BED: Colour = (52, 48, 46)
_LOST_FRAMES: Colour = (60, 60, 150)
_FAINT_TEXT: Colour = (165, 160, 160)
_LEVELS = (0.0, 0.5, 1.0)


def score_strip(
    scores: NDArray[np.float64],
    colour: NDArray[np.uint8],
    width: int,
    marked: Sequence[int] = (),
    lost: Sequence[int] = (),
) -> NDArray[np.uint8]:
    """A chart of `scores`, float64 [T], 0..1 and NaN where there is none: uint8 [H, width, 3], BGR.

    Where several frames share a column of pixels their mean is shown. `marked` are frame indices, from 0, to be named
    on the axis; `lost` are frames that could not be read, shown in red. `colour` is BGR, uint8 [3].
    """
    length = len(scores)
    canvas = np.full((_CHART_HEIGHT + _AXIS_HEIGHT, width, 3), _BACKGROUND, dtype=np.uint8)
    part = canvas[:, _NAMES_WIDTH:]
    there = np.isfinite(scores)
    shares = coverage(there, part.shape[1])
    totals = coverage(np.where(there, np.clip(scores, 0, 1), 0.0), part.shape[1])
    means = np.divide(totals, shares, out=np.zeros_like(totals), where=shares > 1e-9)
    lost_flags = np.zeros(length, dtype=np.bool_)
    lost_flags[list(lost)] = True
    bed = np.asarray(_BED) + coverage(lost_flags, part.shape[1])[:, None] * (np.asarray(_LOST_FRAMES) - _BED)
    # How much of a pixel lies below the curve, row by row from the top.
    above_ground = np.arange(_CHART_HEIGHT, 0, -1)[:, None] - 1
    filled = np.clip(means * _CHART_HEIGHT - above_ground, 0, 1) * shares
    chart = bed + FILL * filled[..., None] * (colour.astype(np.float64) - bed)
    part[:_CHART_HEIGHT] = np.rint(chart).astype(np.uint8)
    for level in _LEVELS:
        row = min(round((1 - level) * _CHART_HEIGHT), _CHART_HEIGHT - 1)
        fill_box(part, 0, row, part.shape[1], 1, (255, 255, 255), 0.25)
        name = f"{level:g}"
        text_width, text_height = text_size(name, _FONT_SIZE)
        y = min(max(row - text_height // 2, 0), _CHART_HEIGHT - text_height)
        draw_text(canvas, name, _NAMES_WIDTH - 8 - text_width, y, _FONT_SIZE, _FAINT_TEXT)
    draw_axis(part, _CHART_HEIGHT, length, marked)
    return canvas
