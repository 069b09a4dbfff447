"""`bench runs`: its drawn split, its arithmetic, and its figures; every way runs in this process, without Ray."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from vis_pipeline import masks
from vis_pipeline.bench import runs
from vis_pipeline.bench.drawn_videos import DrawnVideos, draw_split
from vis_pipeline.bench.runs import Timing
from vis_pipeline.cli import bench
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import ConfigError

TINY = DrawnVideos(videos=3, length=4, width=64, height=48, objects=2)


def test_drawn_objects_are_where_the_masks_say(tmp_path: Path) -> None:
    draw_split(tmp_path / "one", TINY, 5)
    split = read_split(tmp_path / "one" / "instances.json")
    assert [(video.length, video.width, video.height) for video in split.videos] == [(4, 64, 48)] * 3
    assert split.annotations is not None and len(split.annotations) == 6
    for entry in split.annotations:
        video = split.videos_by_id()[entry.video_id]
        for name, rle in zip(video.file_names, entry.segmentations, strict=True):
            assert rle is not None
            inside = cv2.erode(masks.decode(rle).astype(np.uint8), np.ones((3, 3))) > 0
            image = cv2.imread(str(tmp_path / "one/JPEGImages" / name)).astype(int)
            assert inside.sum() > 20 and image[inside].std(axis=0).max() < 12
    draw_split(tmp_path / "two", TINY, 5)
    for path in (tmp_path / "one").rglob("*.j*"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_objects_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--objects 90: frames of 64x48 have no room"):
        draw_split(tmp_path / "split", DrawnVideos(1, 1, 64, 48, 90), 0)


def test_what_a_video_costs_is_what_its_workers_do_not_spend_on_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = iter(
        [
            *(Timing(300, 10, 3.0, 10.0, 9.0, 15.0, 3.0), Timing(300, 10, 9.0, 6.0, 10.0, 16.0, 4.0)),
            *(Timing(300, 10, 5.0, 20.0, 19.6, 27.0, 2.0), Timing(300, 10, 7.0, 5.0, 8.0, 14.0, 4.0)),
            *(Timing(300, 10, 4.0, 15.0, 14.8, 21.0, 9.0), Timing(300, 10, 8.0, 7.5, 14.0, 17.0, 4.0)),
        ]
    )
    told: list[str] = []
    monkeypatch.setattr(runs, "_timed", lambda job, workers, out: next(given))
    plain, ray = runs.compare(object(), [2], 3, tmp_path, told.append)  # type: ignore[arg-type]
    assert told == ["plain loop", "Ray, 2 workers"] * 3
    assert (plain.name, plain.workers, ray.name, ray.workers) == ("plain loop", 1, "Ray, 2 workers", 2)
    assert (plain.frames_per_second, plain.slowest, plain.fastest) == (20.0, 15.0, 30.0)
    assert (plain.before, plain.whole, plain.again) == (4.0, 21.0, 3.0)
    assert plain.per_video == pytest.approx(0.04)  # of 100, 40 and 20 ms
    assert ray.per_video == pytest.approx(0.2) and ray.frames_per_second == 50.0  # of 200, 200 and 100 ms


def command(*words: object) -> str:
    app = typer.Typer()
    bench.register(app)
    ran = CliRunner().invoke(app, ["bench", "runs", *map(str, words)], catch_exceptions=False)
    assert ran.exit_code == 0
    return ran.output


def test_the_command_says_and_writes_what_it_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_in_fresh_process", lambda job, workers, out: runs._run(job, None, out))
    drawn = {"videos": 2, "length": 3, "size": "64x48", "objects": 2}
    tiny = [word for name, value in drawn.items() for word in (f"--{name}", value)]
    tiny += ["--tracker-only", "--cfg-options", "tracker=last_mask", "--repeats", 1, "--device", "cpu"]
    shown = command(*tiny, "--workers", "2, 2", "--json", tmp_path / "out.json")
    assert "2 videos, 6 frames" in shown and "plain loop" in shown and "Ray, 2 workers" in shown
    written = json.loads((tmp_path / "out.json").read_text())
    assert (written["videos"], written["frames"], written["repeats"]) == (2, 6, 1)
    plain, ray = written["runs"]
    assert [plain["workers"], ray["workers"]] == [1, 2]
    for one in (plain, ray):
        assert one["slowest"] == one["frames_per_second"] == one["fastest"] > 0
        assert 0 < one["before"] < one["whole"] and one["again"] > 0
    # In a plain loop what is no frame is little, and never less than nothing.
    assert 0 <= plain["per_video"] < 2 * 3 / plain["frames_per_second"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "1,x"], "--workers x: not numbers above 0, as in 1,2"),
        (["--workers", ","], "--workers ,: not numbers above 0"),
        (["--size", "64"], "--size 64: not WIDTHxHEIGHT, at least 32x32"),
        (["--split", "a.json"], "--split and --frames go together"),
        (["--json", "no/where.json"], "--json no/where.json: there is no folder no"),
    ],
)
def test_what_it_cannot_do_is_said_first(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        command(*words)
