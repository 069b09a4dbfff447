"""Names that are to be known ones, and hints for those that are not there."""

import difflib
from collections.abc import Iterable
from enum import Enum
from typing import TypeVar

from vis_pipeline.errors import ConfigError

NameT = TypeVar("NameT", bound=Enum)


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """The end of an error's line: `; did you mean '...'?` with the nearest valid name, or nothing if none is near."""
    near = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else ""


def named(option: str, text: str, kind: type[NameT]) -> frozenset[NameT]:
    """The members of an enumeration of words that an option names in a list such as `gif,sheet`.

    Raises:
        ConfigError: one of the words is none of them.
    """
    valid = [member.value for member in kind]
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in valid:
            raise ConfigError(
                f"{option} {text}: there is no {word!r}, only {', '.join(valid)}{did_you_mean(word, valid)}"
            )
    return frozenset(kind(word) for word in words)
