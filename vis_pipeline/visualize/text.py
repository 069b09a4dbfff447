"""Anti-aliased text on BGR images, in any script that the machine has a font for."""

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vis_pipeline.visualize.bidi import visual_runs
from vis_pipeline.visualize.fonts import FontFile, can_shape, clusters, font_runs, has_letters

Colour = tuple[int, int, int]

_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
# Format characters that letters need: those that keep them from joining, or make them, and those of flags.
_KEPT_FORMATS = {"\u200c", "\u200d", *(chr(code) for code in range(0xE0020, 0xE0080))}
# Letters taller than the line shrink to fit into it, but no more than that; the rest is cut.
_SMALLEST_SHARE = 0.6


def text_size(text: str, size: int, bold: bool = False) -> tuple[int, int]:
    """Width and height in pixels that :func:`draw_text` covers; the height is the same for every text."""
    height, width = _ink(text, size, bold).coverage.shape
    return width, height


def draw_text(
    image: NDArray[np.uint8], text: str, x: int, y: int, size: int, colour: Colour, bold: bool = False
) -> None:
    """Draw one line in place on uint8 [H, W, 3] with its top-left corner at (x, y); what leaves the image is cut."""
    ink = _ink(text, size, bold)
    height, width = image.shape[:2]
    top, left = max(y, 0), max(x, 0)
    bottom, right = min(y + ink.coverage.shape[0], height), min(x + ink.coverage.shape[1], width)
    if top >= bottom or left >= right:
        return
    window = (slice(top - y, bottom - y), slice(left - x, right - x))
    weight = ink.coverage[window][..., None].astype(np.float32) / 255
    wanted = np.asarray(colour, dtype=np.float32)
    if ink.own_colours is not None:
        coloured, flags = ink.own_colours
        wanted = np.where(flags[window][..., None], coloured[window].astype(np.float32), wanted)
    patch = image[top:bottom, left:right]
    patch[:] = np.rint(patch + weight * (wanted - patch)).astype(np.uint8)


def fill_box(image: NDArray[np.uint8], x: int, y: int, width: int, height: int, colour: Colour, opacity: float) -> None:
    """Blend one filled box, pixels x .. x+width-1 and y .. y+height-1, in place; what leaves the image is cut."""
    patch = image[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
    patch[:] = np.rint(patch * (1 - opacity) + np.asarray(colour) * opacity).astype(np.uint8)


def can_draw(text: str) -> bool:
    """Whether a font of this machine has a letter for each character of the text, and can put them together."""
    characters = all(
        character.isprintable() or character.isspace() or unicodedata.category(character) == "Cf" for character in text
    )
    return characters and has_letters(_one_line(text))


def isolated(name: str) -> str:
    """A name for the middle of a line: whichever way it is written, the rest stands as around a word of Latin."""
    kept = _one_line(name).replace(_ISOLATE, "").replace(_END_ISOLATE, "")
    leftward = any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in kept)
    return f"{_ISOLATE}{kept}{_END_ISOLATE}" if leftward else kept


def shortened(text: str, size: int, width: int, bold: bool = False) -> str:
    """The text, cut with an ellipsis if it is wider than `width` pixels, between whole letters."""
    if text_size(text, size, bold)[0] <= width:
        return text
    parts = clusters(text)
    lengths = range(1, len(parts))
    kept = bisect_right(lengths, width, key=lambda n: text_size("".join(parts[:n]) + "…", size, bold)[0])
    return "".join(parts[:kept]).rstrip() + "…"


@dataclass(frozen=True)
class _Ink:
    """A drawn line: how much of each pixel it covers, uint8 [h, w]; where letters are pictures their BGR and flags."""

    coverage: NDArray[np.uint8]
    own_colours: tuple[NDArray[np.uint8], NDArray[np.bool_]] | None = None


@dataclass(frozen=True)
class _Run:
    """A stretch of a line in one font, and whether it is written to the left; None: raqm sees by itself."""

    text: str
    font: FontFile
    leftward: bool | None


@lru_cache(maxsize=4096)
def _ink(text: str, size: int, bold: bool) -> _Ink:
    own = _own(bold).sized(size)
    ascent, descent = own.getmetrics()
    pieces = [_run_ink(run, size, ascent, descent) for part in _parts(_one_line(text)) for run in _runs(part, bold)]
    if not pieces:
        return _Ink(np.zeros((ascent + descent, 1), dtype=np.uint8))
    coverage = np.concatenate([piece.coverage for piece in pieces], axis=1)
    if all(piece.own_colours is None for piece in pieces):
        return _Ink(coverage)
    blank = [
        piece.own_colours
        or (np.zeros((*piece.coverage.shape, 3), dtype=np.uint8), np.zeros(piece.coverage.shape, dtype=np.bool_))
        for piece in pieces
    ]
    colours, flags = (np.concatenate(planes, axis=1) for planes in zip(*blank, strict=True))
    return _Ink(coverage, (colours, flags))


def _one_line(text: str) -> str:
    """The text in composed letters, with blanks for line breaks and halves of characters, and nothing that turns it."""
    kept = []
    for character in unicodedata.normalize("NFC", text):
        if character in _KEPT_FORMATS or character in (_ISOLATE, _END_ISOLATE) or character.isprintable():
            kept.append(character)
        elif unicodedata.category(character) != "Cf":
            kept.append(" ")
    return "".join(kept)


def _parts(line: str) -> list[str]:
    """The line's isolated names and what stands between them, from left to right."""
    parts = []
    for outside in line.split(_ISOLATE):
        parts += outside.split(_END_ISOLATE)
    return [part for part in parts if part]


def _runs(part: str, bold: bool) -> list[_Run]:
    """A part in stretches of one font each, from left to right."""
    whole = _fonts(part, bold)
    if len(whole) == 1:
        return [_Run(*whole[0], None)]
    runs = []
    for begin, end, leftward in visual_runs(part):
        stretch = _fonts(part[begin:end], bold)
        runs += [_Run(text, font, leftward) for text, font in (reversed(stretch) if leftward else stretch)]
    return runs


def _fonts(text: str, bold: bool) -> list[tuple[str, FontFile]]:
    return [(run, font or _own(bold)) for run, font in font_runs(text, bold)]


def _own(bold: bool) -> FontFile:
    font = font_runs("x", bold)[0][1]
    assert font is not None
    return font


def _run_ink(run: _Run, size: int, ascent: int, descent: int) -> _Ink:
    """One stretch on the line's base, `ascent` pixels below the top of `ascent + descent`."""
    direction = None if run.leftward is None or not can_shape() else ("rtl" if run.leftward else "ltr")
    if run.font.pictures:
        return _picture_ink(run, size, ascent, descent, direction)
    font = run.font.sized(size)
    if not run.text.isascii():
        _, top, _, bottom = font.getbbox(run.text, anchor="ls", direction=direction)
        share = min(1.0, ascent / max(-top, 1), descent / max(bottom, 1))
        font = run.font.sized(max(1, int(size * max(share, _SMALLEST_SHARE)))) if share < 1 else font
    width = max(1, round(font.getlength(run.text, direction=direction)))
    canvas = Image.new("L", (width, ascent + descent))
    ImageDraw.Draw(canvas).text((0, ascent), run.text, fill=255, font=font, anchor="ls", direction=direction)
    return _Ink(np.asarray(canvas))


def _picture_ink(run: _Run, size: int, ascent: int, descent: int, direction: str | None) -> _Ink:
    """Pictures, drawn in their own size and brought to the height of the line."""
    font = run.font.sized(size)
    rise, drop = font.getmetrics()
    canvas = Image.new("RGBA", (max(1, round(font.getlength(run.text, direction=direction))), max(1, rise + drop)))
    pen = ImageDraw.Draw(canvas)
    pen.text((0, rise), run.text, fill="white", font=font, anchor="ls", embedded_color=True, direction=direction)
    height = ascent + descent
    canvas = canvas.resize((max(1, round(canvas.width * height / canvas.height)), height), Image.Resampling.LANCZOS)
    pixels = np.asarray(canvas)
    return _Ink(pixels[..., 3].copy(), (pixels[..., 2::-1].copy(), pixels[..., 3] > 0))
