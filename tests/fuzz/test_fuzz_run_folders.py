"""Run folders with a damaged file: what reads them is right or says one line, and writes nothing elsewhere."""

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from in_process import command_line
from mutations import cases, damaged, require_done_or_one_line

from vis_pipeline import masks
from vis_pipeline.errors import UserError
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.lock import holding
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome

CONFIG = {"split": "split.json", "frames": "frames"}
COMMANDS = ("evaluate", "submit", "taken up")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("fuzz") / "run"
    with holding(run) as claim:
        folder = RunFolder.create(run, CONFIG, "abc", claim=claim)
        for video_id in (1, 2):
            pixels = np.zeros((2, 6, 7), dtype=bool)
            pixels[:, 1:4, video_id:5] = True
            rles = tuple(masks.encode(pixels))
            tracks = (TrackResult(video_id, 1, 0.5, rles), TrackResult(video_id, 0, 0.25, (rles[0], None)))
            events = ({"frame": 0, "track": 0, "kind": "born"},)
            folder.write_video(video_id, VideoOutcome(tracks, 2, 6, 7, {"track": 0.5}, events=events))
        folder.log("something")
        folder.assemble_results([1, 2])
        split = {
            "videos": [
                {"id": i, "width": 7, "height": 6, "length": 2, "file_names": [f"{i}/0.jpg", f"{i}/1.jpg"]}
                for i in (1, 2)
            ],
            "categories": [{"id": 0, "name": "dog"}, {"id": 1, "name": "cat"}],
            "annotations": [
                {
                    "id": i,
                    "video_id": i,
                    "category_id": 1,
                    "iscrowd": 0,
                    "segmentations": [{"size": [6, 7], "counts": [14, 10, 18]}, None],
                }
                for i in (1, 2)
            ],
        }
        (run / "split.json").write_text(json.dumps(split))
    return run


def taken_up(run: Path) -> None:
    """What `run` does with a folder that is there, before its videos and after."""
    with holding(run) as claim:
        folder = RunFolder.create(run, CONFIG, "abc", claim=claim)
        for video_id in folder.finished():
            folder.read_events(video_id)
        folder.assemble_results([1, 2])


def test_a_damaged_run_folder_is_read_right_or_refused_in_one_line(sound: Path, tmp_path: Path) -> None:
    names = [path.relative_to(sound) for path in sorted(sound.rglob("*")) if path.is_file()]
    assert len(names) >= 9
    for number in cases(300):
        rng = random.Random(f"run {number}")
        around = tmp_path / "around"
        run = around / "run"
        shutil.copytree(sound, run)
        name, command = rng.choice(names), COMMANDS[number % len(COMMANDS)]
        (run / name).write_bytes(damaged((run / name).read_bytes(), rng))
        what = f"case {number}, {command}, {name}: {(run / name).read_bytes()[:300]!r}"
        if command == "taken up":
            try:
                taken_up(run)
            except UserError as error:
                assert "\n" not in str(error), what
            except Exception as error:
                raise AssertionError(what) from error
        else:
            given = ("--gt", sound / "split.json") if command == "evaluate" else ()
            try:
                code, said = command_line(command, run, *given)
            except Exception as error:
                raise AssertionError(what) from error
            require_done_or_one_line(code, said, what)
        assert [path.name for path in around.iterdir()] == ["run"], what
        shutil.rmtree(around)
