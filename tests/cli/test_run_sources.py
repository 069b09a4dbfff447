"""`run --video` on a part of a video, and on images by a pattern."""

import json
from pathlib import Path

import av
import pytest
from test_own_detections import assert_refused, clip, images, on_video, square, tracks, written

from vis_pipeline.data.splits import read_split


@pytest.fixture
def detections(tmp_path: Path) -> Path:
    return written(tmp_path / "found.json", [square(0), square(1), square(2)])


def test_a_part_of_a_clip_is_tracked_and_drawn(command, tmp_path: Path, detections: Path) -> None:
    arguments = on_video(clip(tmp_path / "clip.mp4"), detections, tmp_path / "run")
    code, out, err = command(*arguments, "--max-frames", 3)
    assert code == 0, err
    assert "1 videos, 3 frames" in out
    assert [len(track["segmentations"]) for track in tracks(tmp_path / "run")] == [3]
    assert read_split(tmp_path / "run/split.json").videos[0].length == 3
    assert command("visualize", tmp_path / "run")[0] == 0
    with av.open(str(tmp_path / "run/pictures/clip.mp4")) as container:
        assert len(list(container.decode(video=0))) == 3
    # Less or more of the video is another run.
    assert_refused(command(*arguments, "--max-frames", 4), "other settings (limits)")
    assert_refused(command(*arguments), "other settings (limits)")
    code, out, err = command(*arguments, "--max-frames", 3)
    assert code == 0 and "0 videos" in out


def test_the_first_seconds_of_a_clip(command, tmp_path: Path, detections: Path) -> None:
    code, out, err = command(*on_video(clip(tmp_path / "clip.mp4"), detections, tmp_path / "run"), "--max-seconds", 0.3)
    assert code == 0, err
    assert "1 videos, 3 frames" in out


def test_images_by_a_pattern(command, tmp_path: Path, detections: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images(tmp_path / "clip")
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*on_video(Path("clip/0000[0-2].png"), detections, Path("run")))
    assert code == 0, err
    assert "1 videos, 3 frames" in out
    assert json.loads(Path("run/config.json").read_text())["config"]["video"] == f"{tmp_path}/clip/0000[0-2].png"
    assert read_split(Path("run/split.json")).videos[0].file_names[0] == "clip/00000.jpg"
    monkeypatch.chdir("/")
    assert command("visualize", tmp_path / "run")[0] == 0
    assert (tmp_path / "run/pictures/clip.mp4").is_file()


def test_limits_are_for_one_video(command, tmp_path: Path, detections: Path) -> None:
    split = ["run", "procedural_small", "--split", "s.json", "--frames", tmp_path, "--out", tmp_path / "run"]
    assert_refused(command(*split, "--max-frames", 3), "--max-frames and --max-seconds need --video")
    by_seconds = [*on_video(images(tmp_path / "clip"), detections, tmp_path / "run"), "--max-seconds", 2]
    assert_refused(command(*by_seconds), "images have no times for --max-seconds; give --max-frames")
