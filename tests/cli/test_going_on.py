"""A run that is killed in the middle of a video goes on from there, and its results are the same to the byte."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.started import started
from vis_pipeline.runs import start
from vis_pipeline.runs.parallel import RunReport, run_in_process

LENGTH = 160


@pytest.fixture
def inputs(tmp_path: Path) -> list[object]:
    """A square that moves to and fro over noise, and detections that miss it in two frames of three."""
    folder = tmp_path / "square"
    folder.mkdir()
    found = []
    for index in range(LENGTH):
        left = 4 + abs(index % 60 - 30)
        image = np.random.default_rng(index).integers(0, 90, (48, 64, 3), dtype=np.uint8)
        image[10:26, left : left + 16] = (40, 200, 240)
        cv2.imwrite(str(folder / f"{index:03}.png"), image)
        if index % 3 == 0:
            polygon = [left, 10, left + 16, 10, left + 16, 26, left, 26]
            found.append({"frame_index": index, "category_id": 7, "score": 0.9, "segmentation": [polygon]})
    detections = tmp_path / "found.json"
    detections.write_text(json.dumps({"categories": [{"id": 7, "name": "box"}], "detections": found}))
    given = ["--video", folder, "--detections", detections, "--device", "cpu", "--checkpoint-every", 20]
    return ["run", "procedural_small", *given, "--save-detections"]


def killed_after(checkpoints: int, arguments: list[object], journal: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "vis_pipeline", *map(str, arguments)]
    with started(command, env=environment, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 120
        while not (journal.is_file() and journal.read_bytes().count(b"\n") > checkpoints):
            assert process.poll() is None and time.monotonic() < until, "it ended before it was killed"
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)


def test_a_killed_run_goes_on_in_the_middle_of_its_video(command, inputs: list[object], tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    code, _, err = command(*inputs, "--out", whole)
    assert code == 0, err
    killed_after(3, [*inputs, "--out", killed], killed / "videos/1.journal")
    assert not (killed / "videos/1.json").exists()
    code, _, err = command(*inputs, "--out", killed)
    assert code == 0, err
    for name in ("results.json", "events/1.json", "detections.json", "split.json"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
    assert "video 1 (square): begun by an earlier try; it goes on where that was" in (killed / "log.txt").read_text()
    assert [path.name for path in (killed / "videos").iterdir()] == ["1.json"]
    assert len(json.loads((whole / "results.json").read_text())[0]["segmentations"]) == LENGTH


def test_a_folder_that_is_replaced_under_a_run_gets_nothing(
    command, inputs: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"

    def replaced(*arguments: Any) -> RunReport:
        run.rename(tmp_path / "away")
        run.mkdir()
        return run_in_process(*arguments)

    monkeypatch.setattr(start, "run_in_process", replaced)
    code, _, err = command(*inputs, "--out", run)
    assert code == 2
    assert err.splitlines()[-1] == (
        f"error: run folder {run}: was moved, removed or replaced while the run went on, which has ended; what is "
        "finished is in the folder where it is now: move it back and give the same command"
    )
    assert "Traceback" not in err and list(run.iterdir()) == []
