import json
from pathlib import Path

import pytest

from vis_pipeline.corrections.edit_list import Delete, EditList, Handle, Join, Rename, Split, read_edits
from vis_pipeline.errors import DataError

FORM = {
    "run": "0123456789abcdef",
    "edits": [
        {"op": "join", "video": 3, "tracks": [0, 4]},
        {"op": "split", "video": 3, "track": 2, "frame": 17},
        {"op": "delete", "video": 5, "track": 5},
        {"op": "rename", "video": 3, "track": 1, "category": 7},
    ],
}


def read(tmp_path: Path, content: object) -> EditList:
    path = tmp_path / "edits.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_edits(path)


def test_the_form_is_read(tmp_path: Path) -> None:
    edits = read(tmp_path, FORM)
    assert edits.run == "0123456789abcdef"
    assert edits.edits == (
        Join(op="join", video=3, tracks=[0, 4]),
        Split(op="split", video=3, track=2, frame=17),
        Delete(op="delete", video=5, track=5),
        Rename(op="rename", video=3, track=1, category=7),
    )
    indices = {video: [index for index, _ in few] for video, few in edits.by_video().items()}
    assert indices == {3: [0, 1, 3], 5: [2]}


def test_parts_are_named(tmp_path: Path) -> None:
    join, delete = read(
        tmp_path,
        {
            "run": "a",
            "edits": [
                {"op": "join", "video": 1, "tracks": [2, 2], "parts": [0, 1]},
                {"op": "delete", "video": 1, "track": 2, "part": 1},
            ],
        },
    ).edits
    assert isinstance(join, Join) and join.handles == (Handle(2), Handle(2, 1))
    assert isinstance(delete, Delete) and delete.handle == Handle(2, 1)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (7, "no object whose `op` is one of join, split, delete, rename"),
        ({"op": "merge", "video": 3}, "no object whose `op` is one of"),
        ({"op": ["join"], "video": 3}, "no object whose `op` is one of"),
        ({"op": "join", "video": 3}, "`tracks` is missing"),
        ({"op": "join", "video": 3, "tracks": [1]}, "tracks: "),
        ({"op": "join", "video": 3, "tracks": [1, 1]}, "tracks: track 1 comes twice"),
        ({"op": "join", "video": 3, "tracks": [1, 2], "parts": [0]}, "parts: 1 for 2 tracks"),
        ({"op": "join", "video": 3, "tracks": [1, -2]}, "tracks.1: .* not -2"),
        ({"op": "split", "video": 3, "track": 0, "frame": True}, "frame: .* not true"),
        ({"op": "split", "video": 3, "track": 0, "frame": 1.5}, "frame: .* not 1.5"),
        ({"op": "delete", "video": "3", "track": 0}, 'video: .* not "3"'),
        ({"op": "delete", "video": 3, "track": 0, "frame": 1}, "frame: Extra inputs are not permitted"),
        ({"op": "rename", "video": 3, "track": 0, "category": "dog\nerror: fake"}, "category: .* not"),
    ],
)
def test_a_wrong_edit_is_named_by_its_index(tmp_path: Path, edit: object, reason: str) -> None:
    with pytest.raises(DataError, match=rf"edits .*edits\.json: edit 1: {reason}") as raised:
        read(tmp_path, {"run": "a", "edits": [FORM["edits"][0], edit]})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not JSON, or cut short"),
        ("[]", "not an object but a list"),
        ('{"run": "a"}', "`edits` is missing"),
        ('{"run": "a", "run": "b", "edits": []}', "the key 'run' twice"),
        ('{"run": "a", "edits": [], "more": 1}', "more: Extra inputs are not permitted"),
        ('{"run": 1, "edits": []}', "run: .* not 1"),
        ('{"run": "a", "edits": []} x', "something follows its end"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_list_of_edits_is_said(tmp_path: Path, content: str, reason: str) -> None:
    with pytest.raises(DataError, match=rf"edits .*edits\.json: .*{reason}"):
        read(tmp_path, content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"edits .*none\.json: cannot be read"):
        read_edits(tmp_path / "none.json")
