"""The order of lines that run both ways, against raqm's own where one font has all of the line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from vis_pipeline.visualize.bidi import visual_runs
from vis_pipeline.visualize.fonts import can_shape, font_runs

# Letters of both directions that do not join or kern, digits of both kinds, separators, blanks.
_LETTERS = st.text(alphabet="HOאבש\u0660\u0661019+,.%$ -", min_size=1, max_size=14)


def test_runs_of_a_line() -> None:
    assert visual_runs("") == []
    assert visual_runs("ring 3") == [(0, 6, False)]
    assert visual_runs("שלום") == [(0, 4, True)]
    # To the left over all, but the number in it to the right; and the same in a line that begins to the right.
    assert visual_runs("שלום 12") == [(5, 7, False), (0, 5, True)]
    assert visual_runs("cat שלום 12") == [(0, 4, False), (9, 11, False), (4, 9, True)]
    assert visual_runs("שלום cat") == [(5, 8, False), (0, 5, True)]


def _columns(font: ImageFont.FreeTypeFont, text: str, direction: str | None) -> list[bytes]:
    """The drawn text's columns of pixels from left to right, without the empty ones."""
    canvas = Image.new("L", (40 + 40 * len(text), 60))
    ImageDraw.Draw(canvas).text((20, 40), text, fill=255, font=font, anchor="ls", direction=direction)
    return [column.tobytes() for column in np.asarray(canvas).T if column.any()]


@pytest.mark.skipif(not can_shape(), reason="Pillow has no raqm here (libfribidi is missing)")
@given(text=_LETTERS)
@settings(max_examples=150)
def test_it_is_the_order_in_which_raqm_draws(text: str) -> None:
    ((_, file),) = font_runs(text)
    assert file is not None
    font = file.sized(16)
    runs = [(text[begin:end], "rtl" if leftward else "ltr") for begin, end, leftward in visual_runs(text)]
    apart = [column for run, direction in runs for column in _columns(font, run, direction)]
    assert apart == _columns(font, text, None)
