import io
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.files.json_stream import DamagedJsonError, JsonStream

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
LAYOUTS = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}])


def stream(text: str | bytes, piece_bytes: int = 16) -> JsonStream:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return JsonStream(io.BytesIO(data), piece_bytes)


def read_list(text: str | bytes, piece_bytes: int = 16) -> list[Any]:
    reader = stream(text, piece_bytes)
    entries = list(reader.entries())
    reader.finish()
    return entries


# Text without lone halves of UTF-16 pairs, which no UTF-8 file can hold.
SOUND = st.lists(VALUES, max_size=5).filter(lambda value: "\\ud" not in json.dumps(value))


@given(SOUND, LAYOUTS, st.integers(1, 40))
def test_a_list_reads_as_by_json_wherever_it_is_cut_into_pieces(
    content: list[Any], layout: dict[str, Any], piece_bytes: int
) -> None:
    assert read_list(json.dumps(content, **layout), piece_bytes) == content


@given(SOUND, LAYOUTS, st.sampled_from(["", "\ufeff"]), st.sampled_from(["", "  \n"]), st.integers(1, 40))
def test_entries_are_located_in_bytes(
    content: list[Any], layout: dict[str, Any], mark: str, space: str, piece_bytes: int
) -> None:
    data = f"{mark}{space}{json.dumps(content, **layout)}".encode()
    located = list(stream(data, piece_bytes).located_entries())
    assert [json.loads(data[begin:end]) for _, begin, end in located] == content
    assert all(data[begin:end] == data[begin:end].strip() for _, begin, end in located)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), st.integers() | st.text('ab\\ "{}'), max_size=5)
)
def test_an_object_reads_as_by_json(content: dict[str, Any]) -> None:
    reader = stream(json.dumps(content, indent=1))
    assert {key: reader.value() for key in reader.members()} == content
    reader.finish()


@given(SOUND.map(lambda values: [{"value": value} for value in values]), LAYOUTS, st.data())
def test_a_list_cut_short_anywhere_is_an_error_after_the_whole_entries(
    content: list[Any], layout: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(content, **layout).encode()
    reader = stream(text[: data.draw(st.integers(0, len(text) - 1))])
    entries = []

    def read() -> None:
        for entry in reader.entries():
            entries.append(entry)  # Those before the error stay.
        reader.finish()

    with pytest.raises(DamagedJsonError, match=r"cut short|empty|UTF-8"):
        read()
    assert entries == content[: len(entries)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("[1, 2", r"cut short \(',' or ']' expected at character 5"),
        ('[1, {"a": "b', r"cut short \(Unterminated string"),
        ("[1, 2 3, 4, 5, 6, 7, 8, 9, 10]", r"not JSON \(',' or '\]' expected at character 6"),
        ("[1, xyz, 4, 5, 6, 7, 8, 9, 10]", r"not JSON \(Expecting value at character 4"),
        ("[1] 2", r"not JSON \(something follows its end, at character 4"),
        ('[{"a": 1, "b": 2, "a": 3}]', "an object has the key 'a' twice"),
        ("[" + "9" * 5000 + "]", "too many digits"),
        ("[" * 100_000, "nested too deeply"),
        (b'[1, "\xff"]', "not UTF-8 text"),
        ("[1]".encode("utf-16"), "not UTF-8 text"),
        (b'[1, "\xc3', "not UTF-8 text"),
        ("3", r"not JSON \('\[' expected at character 0"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str | bytes, fault: str) -> None:
    with pytest.raises(DamagedJsonError, match=fault):
        read_list(text)


def test_keys_of_the_outermost_object_are_not_there_twice() -> None:
    reader = stream('{"a": 1, "a": 2}')
    with pytest.raises(DamagedJsonError, match="the key 'a' twice"):
        for _ in reader.members():
            reader.value()


def test_one_mark_at_the_beginning_and_numbers_that_are_none_are_read() -> None:
    with pytest.raises(DamagedJsonError, match="character 0"):
        read_list("\ufeff\ufeff[1]", piece_bytes=1)
    assert read_list("\ufeff[1]") == [1]
    nan, infinity = read_list("[NaN, -Infinity]")
    assert math.isnan(nan) and infinity == -math.inf


class EndlessList(io.BytesIO):
    """Reads as a list that never ends; `taken` are the bytes that were read of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None and size > 0
        begin = b"" if self.taken else b"["
        self.taken += size
        return begin + b'{"a": 12345},' * (size // 13)


def test_no_more_is_held_than_a_piece_however_long_the_list() -> None:
    file = EndlessList()
    entries = JsonStream(file, 1300).entries()
    for _ in range(10_000):
        assert next(entries) == {"a": 12345}
    assert file.taken <= 13 * 10_000 + 2 * 1300
