"""JSON read piece by piece, so that a large file never lies in memory as a whole."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

from vis_pipeline.errors import DataError

PIECE_BYTES = 1 << 22
# The longest word of Python's JSON, `-Infinity`: an error this close to the end of what is read may come of the cut.
LONGEST_WORD = 9
BYTE_ORDER_MARK = "\ufeff"
_SPACE = re.compile(r"[ \t\n\r]*")


class DamagedJsonError(DataError):
    """A text that is no JSON."""


class JsonStream:
    """One JSON text, its outermost list or object gone through entry by entry, everything inside parsed whole.

    It holds a few megabytes of the text, or the longest entry if that is more. Text is UTF-8, with or without the mark
    at its beginning; `NaN` and `Infinity` are read, as Python writes them. An object may not have a key twice.

    Every method raises :class:`DamagedJsonError` where the text is not what it asks for, and what the file raises.
    """

    def __init__(self, file: IO[bytes], piece_bytes: int = PIECE_BYTES) -> None:
        self._file = file
        self._piece_bytes = piece_bytes
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._parse = json.JSONDecoder(object_pairs_hook=_without_twins).raw_decode
        self._text = ""
        self._at = 0
        self._characters_before = 0
        self._bytes_before = 0
        self._counted = 0

    def peek(self) -> str:
        """The next character that is no space, still to be read; nothing at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text) or not self._read_on():
                return self._text[self._at : self._at + 1]

    def entries(self) -> Iterator[Any]:
        """The entries of the list that begins here."""
        return (entry for entry, _, _ in self.located_entries())

    def located_entries(self) -> Iterator[tuple[Any, int, int]]:
        """The entries of the list that begins here, and from which byte of the file to which (exclusive) each lies."""
        self._take("[")
        if self.peek() == "]":
            self._take("]")
            return
        while True:
            self.peek()
            begin = self._byte_position()
            entry = self.value()
            yield entry, begin, self._byte_position()
            if self._take(",]") == "]":
                return

    def members(self) -> Iterator[str]:
        """The keys of the object that begins here; the value is read by the caller before the next key."""
        seen: set[str] = set()
        self._take("{")
        if self.peek() == "}":
            self._take("}")
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise DamagedJsonError("not JSON (a key that is no text)")
            if key in seen:
                raise DamagedJsonError(f"an object has the key {key!r} twice")
            seen.add(key)
            self._take(":")
            yield key
            if self._take(",}") == "}":
                return

    def value(self) -> Any:
        """The value that begins here, parsed whole."""
        self.peek()
        while True:
            try:
                value, end = self._parse(self._text, self._at)
            except json.JSONDecodeError as error:
                if not (self._may_go_on(error) and self._read_on()):
                    raise self._damaged(error) from error
            except RecursionError as error:
                raise DamagedJsonError("nested too deeply") from error
            except DamagedJsonError:
                raise
            except ValueError as error:
                # Python turns no number of more than some thousand digits into an integer.
                raise DamagedJsonError("a number has too many digits") from error
            else:
                # A number at the end of what is read may go on behind it, even from `1e-`, which ends at the 1.
                if end + LONGEST_WORD < len(self._text) or not self._read_on():
                    self._at = end
                    return value

    def finish(self) -> None:
        """Nothing may follow."""
        if self.peek():
            raise DamagedJsonError(f"not JSON (something follows its end, at character {self._position(self._at)})")

    def _take(self, allowed: str) -> str:
        found = self.peek()
        if not found and not self._characters_before and not self._text.strip():
            raise DamagedJsonError("not JSON, it is empty")
        if not found or found not in allowed:
            wanted = " or ".join(repr(character) for character in allowed)
            kind = "not JSON" if found else "not JSON, or cut short"
            raise DamagedJsonError(f"{kind} ({wanted} expected at character {self._position(self._at)})")
        self._at += 1
        return found

    def _read_on(self) -> bool:
        """Take in the next piece and drop what has been read; at the end of the file nothing changes."""
        # As much again as is held, so that a long entry is begun anew only a few times.
        data = self._file.read(max(self._piece_bytes, len(self._text) - self._at))
        try:
            more = self._decode(data, not data)
        except UnicodeDecodeError as error:
            raise DamagedJsonError(f"not UTF-8 text ({error.reason})") from error
        if more.startswith(BYTE_ORDER_MARK) and not (self._text or self._bytes_before):
            more = more.removeprefix(BYTE_ORDER_MARK)
            self._bytes_before = len(BYTE_ORDER_MARK.encode())
        if data:
            self._byte_position()
            self._characters_before += self._at
            self._text = self._text[self._at :] + more
            self._at = self._counted = 0
        return bool(data)

    def _byte_position(self) -> int:
        """Of the next character in the file; what lies between two calls is counted once."""
        passed = self._at - self._counted
        if not self._text.isascii():
            passed = len(self._text[self._counted : self._at].encode())
        self._bytes_before += passed
        self._counted = self._at
        return self._bytes_before

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - LONGEST_WORD

    def _damaged(self, error: json.JSONDecodeError) -> DamagedJsonError:
        kind = "not JSON, or cut short" if self._may_go_on(error) else "not JSON"
        return DamagedJsonError(f"{kind} ({error.msg.removesuffix(' at')} at character {self._position(error.pos)})")

    def _position(self, at: int) -> int:
        return self._characters_before + at


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twin = next(key for key in keys if keys.count(key) > 1)
        raise DamagedJsonError(f"an object has the key {twin!r} twice")
    return content
