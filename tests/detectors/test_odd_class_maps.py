"""Class maps that are none: one line that names the file."""

from pathlib import Path

import pytest

from detectors.class_maps import build_class_map, build_recorded_map
from vis_pipeline.errors import ConfigError
from vis_pipeline.structures.splits import Category

CATEGORIES = (Category(1, "person"), Category(2, "cat"))

ODD = {
    "a number": b"3",
    "null": b"null",
    "text": b'"person"',
    "a list": b"[]",
    "empty": b"",
    "cut short": b'{"person": "c',
    "another value": b'{"person": 3, "1": 3}',
    "a list inside": b'{"person": ["cat"], "1": ["cat"]}',
    "an object inside": b'{"person": {}, "1": {}}',
    "true": b'{"person": true, "1": true}',
    "a fraction": b'{"person": 1.5, "1": 1.5}',
    "NaN": b'{"person": NaN, "1": NaN}',
    "a category that is not there": b'{"person": "dog", "1": "dog"}',
    "a key twice": b'{"person": "cat", "person": "cat", "1": 1, "1": 2}',
    "Latin 1": b'{"pers\xf6n": "cat"}',
    "UTF-16": '{"person": "cat"}'.encode("utf-16"),
    "deep": b"[" * 100_000,
    "two signs": b'{"--5": 1}',
    "a sign": b'{"-": 1}',
    "a long key": b'{"' + b"9" * 5000 + b'": 1}',
    "a long value": b'{"1": ' + b"9" * 5000 + b', "person": ' + b"9" * 5000 + b"}",
    "foreign digits": '{"\u0661": 1}'.encode(),
    "half a character": b'{"person": "\\ud800", "1": "\\ud800"}',
}


@pytest.mark.parametrize("name", ODD)
def test_odd_class_maps(tmp_path: Path, name: str) -> None:
    path = tmp_path / "map.json"
    path.write_bytes(ODD[name])
    for build in (
        lambda: build_class_map(["person"], CATEGORIES, str(path)),
        lambda: build_recorded_map(CATEGORIES, str(path)),
    ):
        with pytest.raises(ConfigError, match=r"class map .*map\.json") as caught:
            build()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "\0", "x" * 5000, ".", "/", "a\nb"])
def test_names_that_are_no_files(name: str) -> None:
    with pytest.raises(ConfigError, match="class map"):
        build_class_map(["person"], CATEGORIES, name)


def test_agnostic_needs_a_category() -> None:
    with pytest.raises(ConfigError, match="there is no category"):
        build_class_map(["person"], (), "agnostic")
    with pytest.raises(ConfigError, match="there is no category"):
        build_recorded_map((), "agnostic")
