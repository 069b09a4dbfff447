"""`edit`: a run of two squares corrected by hand, and what the other commands make of the run that comes of it."""

import hashlib
import json
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vis_pipeline.cli.app import main
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.visualize.run_videos import RunVideos

HEIGHT, WIDTH, LENGTH = 48, 64, 4
SIDE = 16
# x of the left edge in frame 0, y of the top edge, score, class.
SQUARES = {"upper": (4, 2, 0.9, 7), "lower": (20, 30, 0.8, 7)}


def outline(name: str, index: int) -> list[int]:
    left, top, _, _ = SQUARES[name]
    left += 4 * index
    return [left, top, left + SIDE, top, left + SIDE, top + SIDE, left, top + SIDE]


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def run_arguments(folder: Path, out: Path) -> list[object]:
    return [
        *("run", "procedural_small", "--video", folder / "clip", "--detections", folder / "found.json"),
        *("--cfg-options", "tracker=last_mask", "--device", "cpu", "--out", out),
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, with its clip and its detections beside it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "clip").mkdir()
    found = []
    for index in range(LENGTH):
        image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
        for name, (_, _, score, category) in SQUARES.items():
            polygon = outline(name, index)
            cv2.fillPoly(image, [np.array(polygon).reshape(4, 2)], (40, 200, 240))
            found.append({"frame_index": index, "category_id": category, "score": score, "segmentation": [polygon]})
        cv2.imwrite(str(folder / "clip" / f"{index:05}.png"), image)
    classes = [{"id": 7, "name": "box"}, {"id": 9, "name": "ball"}]
    written(folder / "found.json", {"categories": classes, "detections": found})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["vis-pipeline", *map(str, run_arguments(folder, folder / "run"))])
        with pytest.raises(SystemExit) as left:
            main()
    assert not left.value.code
    assert [shown(track) for track in results(folder / "run")] == ["mmmm", "mmmm"]
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of it, with nothing beside it."""
    return Path(shutil.copytree(made / "run", tmp_path / "run"))


def results(run: Path) -> list[dict[str, Any]]:
    return json.loads((run / "results.json").read_text())


def shown(track: dict[str, Any]) -> str:
    return "".join("." if mask is None else "m" for mask in track["segmentations"])


def edit_list(run: Path, *edits: dict[str, Any], changes: dict[str, Any] | None = None) -> Path:
    (video_id,) = RunFolder.open(run).finished()
    content = {"run": RunFolder.open(run).config_hash(), "edits": [{"video": video_id, **edit} for edit in edits]}
    return written(run.parent / "edits.json", content | (changes or {}))


def everything_in(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file()
    }


def ground_truth(run: Path) -> Path:
    """The split of the run with both squares, the lower one a ball."""
    split = json.loads((run / "split.json").read_text())
    (video,) = split["videos"]
    split["annotations"] = [
        {
            "id": number,
            "video_id": video["id"],
            "category_id": category,
            "segmentations": [[outline(name, index)] for index in range(LENGTH)],
            "iscrowd": 0,
        }
        for number, (name, category) in enumerate((("upper", 7), ("lower", 9)), start=1)
    ]
    return written(run.parent / "truth.json", split)


def test_an_edited_run_is_a_run(command, run: Path) -> None:
    truth, before = ground_truth(run), everything_in(run)
    new = run.parent / "new"
    upper, lower = results(run)
    edits = edit_list(
        run,
        {"op": "rename", "track": 1, "category": 9},
        {"op": "split", "track": 0, "frame": 1},
        {"op": "delete", "track": 0},
    )
    code, out, err = command("edit", run, edits, "--out", new)
    assert code == 0, err
    assert "3 edits in 1 videos: 2 tracks of 2" in out
    rest, ball = results(new)
    assert (shown(rest), rest["score"]) == (".mmm", upper["score"])
    assert rest["segmentations"][1:] == upper["segmentations"][1:]
    assert (ball["category_id"], ball["segmentations"]) == (9, lower["segmentations"])
    assert everything_in(run) == before, "the finished run is not touched"

    (edited,) = json.loads((new / "config.json").read_text())["config"]["edited"]
    assert edited["run"] == str(run) and edited["config_hash"] == RunFolder.open(run).config_hash()
    assert edited["edits_sha256"] == hashlib.sha256(edits.read_bytes()).hexdigest()
    assert (new / "edits.json").read_bytes() == edits.read_bytes()
    assert f"edited: the run {run} by 3 edits" in (new / "log.txt").read_text()
    assert json.loads((new / "timings.json").read_text())["videos"].keys()

    code, _, err = command("evaluate", new, "--gt", truth, "--json", run.parent / "scores.json")
    assert code == 0, err
    # The ball is right; the box has 3 of 4 frames, IoU 0.75: right at 6 thresholds of 10.
    assert json.loads((run.parent / "scores.json").read_text())["AP"] == pytest.approx((1 + 0.6) / 2)
    code, out, err = command("submit", new)
    assert code == 0, err
    with zipfile.ZipFile(new / "submission.zip") as archive:
        assert json.loads(archive.read("results.json")) == results(new)
    code, _, err = command("visualize", new)
    assert code == 0, err
    assert len(list((new / "pictures").glob("*.mp4"))) == 1


def test_a_run_does_not_go_on_in_an_edited_one(command, made: Path, run: Path) -> None:
    new = run.parent / "new"
    assert command("edit", run, edit_list(run), "--out", new)[0] == 0
    before = everything_in(new)
    code, _, err = command(*run_arguments(made, new))
    assert code == 2 and "other settings (edited" in err
    after = everything_in(new)
    after.pop(".lock")
    assert after == before


def test_an_edited_run_is_edited_again(command, run: Path) -> None:
    first, second = run.parent / "first", run.parent / "second"
    assert command("edit", run, edit_list(run, {"op": "split", "track": 0, "frame": 2}), "--out", first)[0] == 0
    assert command("edit", first, edit_list(first, {"op": "join", "tracks": [1, 2]}), "--out", second)[0] == 0
    upper, joined = results(second)
    lower = results(run)[1]
    assert shown(upper) == "mm.." and shown(joined) == "mmmm"
    first_half, second_half = lower["segmentations"][:2], results(run)[0]["segmentations"][2:]
    assert joined["segmentations"] == [*first_half, *second_half]
    assert "edit 0 (join): 2 masks of video" in (second / "log.txt").read_text()
    origins = json.loads((second / "config.json").read_text())["config"]["edited"]
    assert [origin["run"] for origin in origins] == [str(run), str(first)]
    assert RunVideos(second).open(RunFolder.open(second).finished().pop()).predicted == (frozenset(), frozenset())


@pytest.mark.parametrize(
    ("edits", "changes", "reason"),
    [
        ([{"op": "delete", "track": 5}], {}, "edit 0 (delete): video 1: there is no track 5; it has 2, from 0"),
        ([{"op": "delete", "track": 0}, {"op": "delete", "track": 0}], {}, "edit 1 (delete): video 1: track 0 was"),
        ([{"op": "delete", "track": 0, "video": 8}], {}, "edit 0 (delete): video 8 is not among the run's finished"),
        (
            [{"op": "rename", "track": 0, "category": 8}],
            {},
            "edit 0 (rename): category 8 is none of the split's (7, 9)",
        ),
        ([], {"run": "0000"}, "made for the run with hash '0000'"),
        ([], {"run": "\n<script>"}, "made for the run with hash"),
        ([], {"edits": 7}, "edits: "),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    command, run: Path, edits: list[dict[str, Any]], changes: dict[str, Any], reason: str
) -> None:
    code, _, err = command("edit", run, edit_list(run, *edits, changes=changes), "--out", run.parent / "new")
    assert code == 2 and len(err.strip().splitlines()) == 1
    assert "edits.json" in err and reason in err
    assert sorted(path.name for path in run.parent.iterdir()) == ["edits.json", "run"]


def test_no_place_is_written_twice(command, run: Path) -> None:
    edits, taken = edit_list(run), run.parent / "taken"
    taken.mkdir()
    written(taken / "mine.json", 1)
    for out, reason in (
        (taken, "is there already"),
        (run, "in the finished run"),
        (run / "new", "in the finished run"),
    ):
        code, _, err = command("edit", run, edits, "--out", out)
        assert code == 2 and reason in err
    assert not (run / "new").exists() and [path.name for path in taken.iterdir()] == ["mine.json"]


def test_a_split_that_is_gone_is_asked_for_where_a_class_is_renamed(command, run: Path) -> None:
    split = (run / "split.json").rename(run.parent / "kept.json")
    edits = edit_list(run, {"op": "rename", "track": 1, "category": 9})
    code, _, err = command("edit", run, edits, "--out", run.parent / "new")
    assert code == 2 and "give --split" in err
    assert command("edit", run, edits, "--split", split, "--out", run.parent / "new")[0] == 0
    assert RunFolder.open(run.parent / "new").input_path("split") == split


def test_where_nobody_knows_how_tracks_came_about_nothing_is_made_up(command, run: Path) -> None:
    """As in runs that were imported."""
    (events,) = (run / "events").iterdir()
    events.unlink()
    code, _, err = command("edit", run, edit_list(run, {"op": "delete", "track": 0}), "--out", run.parent / "new")
    assert code == 0, err
    assert list((run.parent / "new/events").iterdir()) == []
    assert len(results(run.parent / "new")) == 1
