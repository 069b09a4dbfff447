"""A run with a memory, as a user makes it: the bundled re-detector on the regions of the bundled detector."""

import json
from pathlib import Path

import cv2
import pytest

from vis_pipeline.synthesis.procedural.video import generate_video


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Two moments of a drawn video, far apart: its objects leave their places between them, and nothing is detected."""
    folder = tmp_path / "frames"
    folder.mkdir()
    images = generate_video(seed=20000, index=0).frames
    for index in range(36):
        cv2.imwrite(str(folder / f"{index:03}.png"), images[0 if index < 5 else 20])
    return folder


def test_what_comes_back_is_known_again(command, frames: Path, tmp_path: Path) -> None:
    code, _, err = command(
        *("run", "procedural_small", "--video", frames, "--out", tmp_path / "seen", "--device", "cpu"),
        "--save-detections",
    )
    assert code == 0, err
    entries = json.loads((tmp_path / "seen/detections.json").read_text())
    away = [entry for entry in entries if entry["frame_index"] < 5 or entry["frame_index"] > 31]
    categories = json.loads((tmp_path / "seen/split.json").read_text())["categories"]
    found = tmp_path / "found.json"
    found.write_text(json.dumps({"categories": categories, "detections": away}))
    recorded = ["--video", frames, "--detections", found, "--device", "cpu"]
    code, _, err = command("run", "procedural_small_memory", *recorded, "--out", tmp_path / "run")
    assert code == 0, err
    config = json.loads((tmp_path / "run/config.json").read_text())["config"]
    assert set(config["weights_sha256"]) == {"detector", "tracker", "memory"}
    events = json.loads((tmp_path / "run/events/1.json").read_text())
    recalled = [event for event in events if event["kind"] == "recalled"]
    assert recalled and all(event["frame"] > 31 for event in recalled)
