import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.files.file_names import LONGEST_NAME, file_stem, file_stems

_NAMES = st.one_of(
    st.text(max_size=12), st.sampled_from(["a", "A", "a_1", "a_2", "a/b", "a_b", "é", "e\u0301", ".a", ""])
)


@pytest.mark.parametrize("name", ["clip", "00000", "Vidéo 3", "人物", "a.b", "x" * LONGEST_NAME])
def test_a_harmless_name_is_kept(name):
    assert file_stem(name) == name


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("train/0001", "train_0001"),
        ("..", "__"),
        (".hidden", "_hidden"),
        ("a\x00b\nc", "a_b_c"),
        ('what?:*"<>|\\', "what________"),
        ("ends. ", "ends._"),
        ("NUL", "_NUL"),
        ("aux.old", "_aux.old"),
        ("half\udcff", "half_"),
        ("", "_"),
    ],
)
def test_what_a_file_system_refuses_becomes_a_line(name, stem):
    assert file_stem(name) == stem


def test_long_names_are_told_apart_by_what_was_cut_off():
    first, second = file_stem("ö" * 300 + "a"), file_stem("ö" * 300 + "b")
    assert first != second and len(first.encode()) < 255 - 40
    assert first.startswith("ö" * 80)


@given(name=st.text())
def test_every_name_makes_a_file(name, tmp_path_factory):
    stem = file_stem(name)
    assert stem == file_stem(name)
    assert 0 < len(stem.encode()) <= LONGEST_NAME + 9
    assert not re.search(r"[/\x00]", stem) and not stem.startswith(".")
    path = tmp_path_factory.getbasetemp() / f"{stem}.png"
    path.write_bytes(b"")
    path.unlink()


@given(names=st.lists(_NAMES, min_size=1, max_size=8))
def test_no_two_videos_have_one_stem(names):
    stems = file_stems(dict(enumerate(names, start=1)))
    assert list(stems) == list(range(1, len(names) + 1))
    assert len({stem.casefold() for stem in stems.values()}) == len(names)


def test_videos_of_one_name_get_their_ids():
    assert file_stems({3: "clip", 8: "clip", 9: "other"}) == {3: "clip_3", 8: "clip_8", 9: "other"}
    # The name that an id makes may be taken, too.
    assert file_stems({1: "a", 2: "A", 5: "a_1"}) == {1: "a_1_1", 2: "A_2", 5: "a_1_5"}
