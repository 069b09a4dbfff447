"""Identity timelines: in which frames each track is visible."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.visualize.text import Colour, draw_text, fill_box, shortened, text_size

_FONT_SIZE = 13
_ROW_HEIGHT = 22
_BAR_HEIGHT = 14
_THIN_BAR_HEIGHT = 4
_AXIS_HEIGHT = 22
_LEGEND_WIDTH = 270
_COLUMN_GAP = 32
_ROWS_IN_ONE_COLUMN = 14
_BACKGROUND: Colour = (28, 25, 24)
_TRACK_BED: Colour = (52, 48, 46)
_LOST_FRAMES: Colour = (60, 60, 150)
_TEXT: Colour = (235, 235, 235)
_FAINT_TEXT: Colour = (165, 160, 160)


@dataclass(frozen=True)
class TimelineRow:
    """One identity: number, class and a figure for the legend, its BGR colour, and what each of T frames shows of it.

    `visible` and `predicted` are bool [T]; predicted are those visible frames that no detection stands behind.
    """

    number: int
    class_name: str
    figure: str
    colour: NDArray[np.uint8]
    visible: NDArray[np.bool_]
    predicted: NDArray[np.bool_]


def timeline(
    rows: Sequence[TimelineRow], length: int, width: int, marked: Sequence[int] = (), lost: Sequence[int] = ()
) -> NDArray[np.uint8]:
    """Draw one bar for each identity over `length` frames, legend on the left: uint8 [H, width, 3], BGR.

    A bar is thin where the track is predicted. Many identities go into two columns. `marked` are frame indices, from 0,
    to be named on the axis; `lost` are frames that could not be read, shown in red.
    """
    columns = 1 if len(rows) <= _ROWS_IN_ONE_COLUMN else 2
    per_column = -(-len(rows) // columns)
    canvas = np.full((max(per_column, 1) * _ROW_HEIGHT + _AXIS_HEIGHT, width, 3), _BACKGROUND, dtype=np.uint8)
    if not rows:
        draw_text(canvas, "no identities", 0, 2, _FONT_SIZE, _FAINT_TEXT)
        return canvas
    column_width = (width - (columns - 1) * _COLUMN_GAP) // columns
    for column in range(columns):
        left = column * (column_width + _COLUMN_GAP)
        part = canvas[:, left : left + column_width]
        _draw_column(part, rows[column * per_column : (column + 1) * per_column], length, lost)
        draw_axis(part[:, _LEGEND_WIDTH:], per_column * _ROW_HEIGHT, length, marked)
    return canvas


def coverage(values: NDArray[np.bool_] | NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """The mean, over each of `width` equal stretches of a video, of what its frames have, [T]: float64 [width].

    Of flags that is the share of the stretch in which they are set.
    """
    frames = len(values)
    edges = np.linspace(0, frames, width + 1)
    total = np.interp(edges, np.arange(frames + 1), np.concatenate([[0], np.cumsum(values)]))
    return np.diff(total) * width / frames


def _draw_column(part: NDArray[np.uint8], rows: Sequence[TimelineRow], length: int, lost: Sequence[int]) -> None:
    bar_width = part.shape[1] - _LEGEND_WIDTH
    lost_flags = np.zeros(length, dtype=np.bool_)
    lost_flags[list(lost)] = True
    lost_share = coverage(lost_flags, bar_width)
    for position, row in enumerate(rows):
        top = position * _ROW_HEIGHT
        _draw_legend(part, row, top)
        bed = np.asarray(_TRACK_BED, dtype=np.float64) + np.zeros((bar_width, 3))
        bed = _blended(bed, np.asarray(_LOST_FRAMES), lost_share)
        for flags, bar_height in ((row.visible & ~row.predicted, _BAR_HEIGHT), (row.visible, _THIN_BAR_HEIGHT)):
            bar = _blended(bed, row.colour, coverage(flags, bar_width))
            bar_top = top + (_ROW_HEIGHT - bar_height) // 2
            part[bar_top : bar_top + bar_height, _LEGEND_WIDTH:] = np.rint(bar).astype(np.uint8)


def _blended(bar: NDArray[np.float64], colour: NDArray[np.generic], share: NDArray[np.float64]) -> NDArray[np.float64]:
    return bar + share[:, None] * (colour.astype(np.float64) - bar)


def _draw_legend(part: NDArray[np.uint8], row: TimelineRow, top: int) -> None:
    blue, green, red = (int(value) for value in row.colour)
    middle = top + (_ROW_HEIGHT - text_size("0", _FONT_SIZE)[1]) // 2
    fill_box(part, 0, top + 4, 14, _ROW_HEIGHT - 8, (blue, green, red), 1.0)
    number = str(row.number)
    draw_text(part, number, 46 - text_size(number, _FONT_SIZE, bold=True)[0], middle, _FONT_SIZE, _TEXT, bold=True)
    name = shortened(row.class_name, _FONT_SIZE, _LEGEND_WIDTH - 56 - 50)
    draw_text(part, name, 56, middle, _FONT_SIZE, _TEXT)
    draw_text(
        part, row.figure, _LEGEND_WIDTH - 12 - text_size(row.figure, _FONT_SIZE)[0], middle, _FONT_SIZE, _FAINT_TEXT
    )


def draw_axis(part: NDArray[np.uint8], bottom: int, length: int, marked: Sequence[int]) -> None:
    """Name the `marked` of `length` frames below row `bottom` and draw a line up from each, over the whole width.

    `part` is uint8 [H, W, 3], BGR, and is drawn on in place; names that would run into one another are left out.
    """
    width = part.shape[1]
    free_from = 0
    for index in sorted(marked):
        centre = round((index + 0.5) * width / length)
        fill_box(part, centre, 0, 1, bottom + 3, (255, 255, 255), 0.35)
        text_width = text_size(str(index), _FONT_SIZE - 1)[0]
        x = max(min(centre - text_width // 2, width - text_width), 0)
        if x >= free_from:
            draw_text(part, str(index), x, bottom + 4, _FONT_SIZE - 1, _FAINT_TEXT)
            free_from = x + text_width + 6
