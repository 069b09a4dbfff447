"""Which font has the letters of a text: the one that matplotlib ships, then those of the machine, found by fontconfig.

Matplotlib's is always there; it has Latin, Greek, Cyrillic, Hebrew, Arabic and the common symbols.
"""

import shutil
import subprocess
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby
from pathlib import Path

import matplotlib
from matplotlib.font_manager import get_font
from PIL import ImageFont, features

_FORMATS = {"TrueType", "CFF"}
_SECONDS = 20.0
# Sizes in pixels that fonts of pictures come in.
_PICTURE_SIZES = (109, 128, 136, 160, 96, 72, 64, 40, 32, 20, 16)


@dataclass(frozen=True)
class FontFile:
    """A font and the characters that it has: code points from each of `starts` to the same place of `ends`, included.

    `pictures` says that it holds coloured pictures of a few sizes, as emoji are, instead of outlines.
    """

    path: Path
    index: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    pictures: bool = False

    def has(self, text: str) -> bool:
        """Whether it has every character of the text; those that only join or vary others do not count."""
        return all(self._has(ord(character)) for character in text if not _is_silent(character))

    def sized(self, size: int) -> ImageFont.FreeTypeFont:
        """The font at a size in pixels; pictures come in a size of theirs, see its `size`.

        Raises:
            OSError: it cannot be read.
        """
        return _loaded(self.path, self.index, 0 if self.pictures else size)

    def _has(self, code: int) -> bool:
        place = bisect_right(self.starts, code) - 1
        return place >= 0 and code <= self.ends[place]


def font_runs(text: str, bold: bool = False) -> list[tuple[str, FontFile | None]]:
    """The text in stretches of one font each, None for what no font has.

    A word has one font if some font has all of it, so that its letters can join.
    """
    runs: list[tuple[str, FontFile | None]] = []
    for word in _words(text):
        whole = runs[-1][1] if runs and word.isspace() else _font_of(word, bold)
        if whole is not None and whole.pictures and word.isspace():
            whole = _own_font(bold)
        parts = [(word, whole)] if whole else [(cluster, _font_of(cluster, bold)) for cluster in clusters(word)]
        for part, font in parts:
            if runs and runs[-1][1] == font:
                runs[-1] = (runs[-1][0] + part, font)
            else:
                runs.append((part, font))
    return runs


def has_letters(text: str) -> bool:
    """Whether there is a font for each character, and the means to put them together as its script asks.

    Without raqm (libfribidi is missing) scripts whose letters join, reorder or run to the left cannot be written.
    """
    if not can_shape() and any(_needs_shaping(character) for character in text):
        return False
    return all(font is not None for _, font in font_runs(text))


@lru_cache(maxsize=1)
def can_shape() -> bool:
    """Whether Pillow lays out scripts other than the simplest: its wheels do where libfribidi is installed."""
    return bool(features.check("raqm"))


def clusters(text: str) -> list[str]:
    """The text in the smallest parts that are drawn as one: a letter with its marks, a conjunct, a joined emoji."""
    parts: list[str] = []
    for character in text:
        if parts and _belongs(parts[-1], character):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _belongs(cluster: str, character: str) -> bool:
    before = cluster[-1]
    flags = [_is_flag_letter(one) for one in (*cluster, character)]
    return (
        unicodedata.category(character).startswith("M")
        or character == _ZWJ
        or before == _ZWJ
        # After a virama the next letter is a part of the conjunct.
        or unicodedata.combining(before) == 9
        or 0x1F3FB <= ord(character) <= 0x1F3FF
        or 0xE0020 <= ord(character) <= 0xE007F
        or (all(flags) and len(flags) == 2)
    )


_ZWJ = "\u200d"


def _is_flag_letter(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF


def _is_silent(character: str) -> bool:
    """Whether it only joins or varies others: format characters and variation selectors; blanks need no letter."""
    return character.isspace() or unicodedata.category(character) == "Cf" or 0xFE00 <= ord(character) <= 0xFE0F


def _needs_shaping(character: str) -> bool:
    code = ord(character)
    return (
        unicodedata.bidirectional(character) in ("R", "AL")
        or unicodedata.category(character).startswith("M")
        # The scripts of India and South-east Asia, and the Mongolian one.
        or 0x0900 <= code < 0x10A0
        or 0x1780 <= code < 0x18B0
        or 0x1900 <= code < 0x1C80
        or 0xA800 <= code < 0xAC00
    )


def _words(text: str) -> list[str]:
    """The text in words and the blanks between them."""
    return ["".join(group) for _, group in groupby(text, key=str.isspace)]


@lru_cache(maxsize=4096)
def _font_of(text: str, bold: bool) -> FontFile | None:
    if text.isascii() or _own_font(bold).has(text):
        return _own_font(bold)
    missing = frozenset(character for character in text if not _is_silent(character))
    others = chain(_fonts_with(missing, bold), [_own_font(not bold)])
    return next((font for font in others if font.has(text) and _draws(font, text)), None)


def _draws(font: FontFile, text: str) -> bool:
    """Whether something is seen: fonts of pictures may have them in a form that Pillow does not know."""
    try:
        return not font.pictures or font.sized(0).getbbox(text)[2] > 0
    except OSError:
        return False


@lru_cache(maxsize=2)
def _own_font(bold: bool) -> FontFile:
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")
    codes = sorted(get_font(str(path)).get_charmap())
    return FontFile(path, 0, tuple(codes), tuple(codes))


@lru_cache(maxsize=1024)
def _fonts_with(characters: frozenset[str], bold: bool) -> tuple[FontFile, ...]:
    """The machine's fonts, those first that fontconfig thinks best for the characters; none without fontconfig."""
    if (program := shutil.which("fc-match")) is None:
        return ()
    codes = " ".join(f"{ord(character):x}" for character in sorted(characters))
    pattern = f"sans-serif:{'bold:' if bold else ''}charset={codes}"
    form = "%{file}\t%{index}\t%{fontformat}\t%{color}\t%{charset}\n"
    try:
        asked = subprocess.run(
            [program, "--sort", "--format", form, pattern], capture_output=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    lines = asked.stdout.decode(errors="surrogateescape").splitlines()
    return tuple(font for line in lines if (font := _from_line(line)) is not None)


def _from_line(line: str) -> FontFile | None:
    parts = line.split("\t")
    if len(parts) != 5 or parts[2] not in _FORMATS:
        return None
    path, index, _, coloured, ranges = parts
    starts, ends = _bounds(ranges.split())
    return FontFile(Path(path), int(index), starts, ends, pictures=coloured == "True")


def _bounds(ranges: Iterable[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """First and last code points of hexadecimal ranges such as `20-7e` or `ad`."""
    pairs = sorted((int(first, 16), int(last or first, 16)) for first, _, last in (r.partition("-") for r in ranges))
    return tuple(first for first, _ in pairs), tuple(last for _, last in pairs)


@lru_cache(maxsize=64)
def _loaded(path: Path, index: int, size: int) -> ImageFont.FreeTypeFont:
    """The font at a size; for 0 at the first of the sizes in which its pictures come."""
    for tried in _PICTURE_SIZES if size == 0 else (size,):
        try:
            return ImageFont.truetype(str(path), tried, index)
        except OSError as error:
            refused = error
    raise refused
