"""The border to the terminal: what comes from data is shown as text, and neither its escape codes nor markup work.

Everything that is printed passes here. Names of categories and videos, of files and configs, and what a server says may
hold anything; written as it is, it could move the cursor, change what stood there, or end a table's style.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

OUTPUT, ERRORS = "standard output", "standard error"
# Control characters but the line feed, which lays text out; marks that turn the direction of what follows; and halves
# of characters.
_WORKING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """The text with what would work on a terminal written out, such as `\\x1b` for the escape character."""
    return _WORKING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def plain_line(text: str) -> str:
    """The same in one line."""
    return plain(text).replace("\n", "\\n")


@contextmanager
def naming_output(name: str = OUTPUT) -> Iterator[None]:
    """What is raised inside for a stream that takes no more has its name, as errors of files have."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, name) from error


class Terminal(Console):
    """rich's console, on which text is text: brackets are no markup, and control characters are written out.

    Style is given by `style=`, :class:`rich.text.Text` and tables.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False, "highlight": False, **options})

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich's; where it cannot be written, the error names what it was for."""
        with naming_output(ERRORS if self.stderr else OUTPUT):
            super().print(*objects, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The parts of what is printed; rich's own commands to the terminal are no text and stay."""
        for segment in super().render(renderable, options):
            if segment.control or not _WORKING.search(segment.text):
                yield segment
            else:
                yield Segment(plain(segment.text), segment.style)


def echo(text: str, err: bool = False) -> None:
    """Print a line of text, to standard error with `err`, and have it there at once."""
    with naming_output(ERRORS if err else OUTPUT):
        print(plain_line(text), file=sys.stderr if err else sys.stdout, flush=True)


def echo_lines(text: str) -> None:
    """Print a text that ends its lines itself, such as a file to redirect."""
    with naming_output():
        print(plain(text), end="", flush=True)
