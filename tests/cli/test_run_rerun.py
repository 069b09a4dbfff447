"""`run --rerun`: the frames with their tracks as they come."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

LENGTH = 3


@pytest.fixture
def arguments(tmp_path: Path) -> list[object]:
    """A run over images of a bright square with the square as detections."""
    (tmp_path / "clip").mkdir()
    found = []
    for index in range(LENGTH):
        image = np.full((48, 64, 3), 60, np.uint8)
        left = 4 + 4 * index
        image[10:26, left : left + 16] = 220
        cv2.imwrite(str(tmp_path / "clip" / f"{index:05}.png"), image)
        polygon = [left, 10, left + 16, 10, left + 16, 26, left, 26]
        found.append({"frame_index": index, "category_id": 7, "score": 0.9, "segmentation": [polygon]})
    named = {"categories": [{"id": 7, "name": "box"}], "detections": found}
    (tmp_path / "found.json").write_text(json.dumps(named))
    return [
        *("run", "procedural_small", "--video", tmp_path / "clip", "--detections", tmp_path / "found.json"),
        *("--cfg-options", "tracker=last_mask", "--device", "cpu", "--out", tmp_path / "run"),
        *("--rerun", tmp_path / "live.rrd"),
    ]


def test_the_package_is_missed_before_anything_is_done(
    command, arguments: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    code, _, err = command(*arguments)
    assert code == 2 and "rerun is not installed" in err
    assert not (tmp_path / "run").exists()


def test_the_frames_come_into_the_file(command, arguments: list[object], tmp_path: Path) -> None:
    pytest.importorskip("rerun", reason="the rerun extra is not installed")
    from rerun.chunk import RrdReader

    code, _, err = command(*arguments)
    assert code == 0, err
    labels = {}
    for chunk in RrdReader(tmp_path / "live.rrd").stream().to_chunks():
        batch = chunk.to_record_batch()
        if chunk.entity_path == "/video/boxes" and "Boxes2D:labels" in batch.schema.names:
            labels |= dict(zip(*(batch.column(name).to_pylist() for name in ("frame", "Boxes2D:labels")), strict=True))
    assert labels == {frame: ["0 box"] for frame in range(LENGTH)}
    # The run is finished: the same command tracks nothing, and the file stays.
    before = (tmp_path / "live.rrd").read_bytes()
    code, _, err = command(*arguments)
    assert code == 2 and "not written, since no frame came" in err
    assert (tmp_path / "live.rrd").read_bytes() == before
