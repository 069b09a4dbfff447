"""Files of lines of numbers."""

import math
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import MOST_JSON, open_regular

_SHOWN = 40
_DIGITS = 19


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, each with its number, from 1.

    Raises:
        DataError: the file cannot be read or is no text in UTF-8.
    """
    try:
        with open_regular(path, MOST_JSON) as opened, TextIOWrapper(opened, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.strip()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not text in UTF-8") from error


def number(text: str) -> float:
    """A finite number.

    Raises:
        DataError: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{text[:_SHOWN]!a} is not a number")
    return value


def whole_number(text: str) -> int:
    """A whole number, which other tools write as 3.0, too, and that 64 bits hold.

    Raises:
        DataError: it is none.
    """
    # An id of more than 53 bits is exact as an integer only.
    plain = text.strip().removeprefix("-")
    exact = plain.isascii() and plain.isdecimal() and len(plain) <= _DIGITS
    value = int(text) if exact else number(text)
    if value != int(value) or not -(2**63) <= value < 2**63:
        raise DataError(f"{text[:_SHOWN]!a} is not a whole number")
    return int(value)
