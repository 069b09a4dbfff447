"""The detections that a run put together from its videos' files, each checked as if a stranger had written it."""

import json
from pathlib import Path

import pytest

from vis_pipeline.errors import DataError
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.start import _saved_detections

ENTRY = {"video_id": 2, "frame_index": 0, "category_id": 1, "score": 0.5}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(tmp_path / "run", {}, "abc")
    (folder.path / "detections").mkdir()
    return folder


def test_whole_files(folder: RunFolder) -> None:
    file = folder.path / "detections/2.json"
    file.write_text(json.dumps([ENTRY, ENTRY]))
    assert list(_saved_detections([file], folder)) == [ENTRY, ENTRY]


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{}",
        "[1]",
        "[null]",
        json.dumps([ENTRY])[:-3],
        json.dumps([ENTRY]) + "]",
        json.dumps([{**ENTRY, "video_id": 1}]),
        json.dumps([{"frame_index": 0}]),
        "[" * 100_000,
    ],
)
def test_a_missing_or_damaged_file_is_named(folder: RunFolder, content: str | None) -> None:
    file = folder.path / "detections/2.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(
        DataError, match=r"detections/2\.json: missing or damaged .*; remove .*videos/2\.json"
    ) as caught:
        list(_saved_detections([file], folder))
    assert "\n" not in str(caught.value)
