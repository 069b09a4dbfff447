"""What a user gets wrong: one line that names the culprit, exit code 2, and no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.tracks import VideoOutcome
from vis_pipeline.weights.registry import resolve


def split_json(videos: int = 1) -> dict[str, Any]:
    return {
        "videos": [
            {"id": number, "width": 64, "height": 48, "length": 2, "file_names": [f"{number}/0.jpg", f"{number}/1.jpg"]}
            for number in range(1, videos + 1)
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(SHAPES, start=1)],
    }


SHAPES = ("disc", "ring", "square", "triangle", "star", "cross", "crescent", "arrow")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with `split.json`, `frames/` and empty `detections.json` that fit each other."""
    (tmp_path / "split.json").write_text(json.dumps(split_json()))
    (tmp_path / "detections.json").write_text("[]")
    (tmp_path / "frames/1").mkdir(parents=True)
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"frames/1/{index}.jpg"), np.full((48, 64, 3), 90, np.uint8))
    return tmp_path


def run_arguments(folder: Path, *more: object) -> list[object]:
    inputs = ["--split", folder / "split.json", "--frames", folder / "frames", "--out", folder / "run"]
    return ["run", "procedural_small", *inputs, "--device", "cpu", *more]


def assert_refused(outcome: tuple[int, str, str], *named: str) -> None:
    code, _, err = outcome
    assert code == 2
    assert err.startswith("error: ")
    assert len(err.strip().splitlines()) == 1
    for word in named:
        assert word in err


def test_unknown_config(command, made: Path) -> None:
    assert_refused(command("run", "procedural_smal", *run_arguments(made)[2:]), "procedural_smal", "did you mean")


def test_unknown_config_key(command, made: Path) -> None:
    assert_refused(
        command(*run_arguments(made, "--cfg-options", "tracking.match_iuo=0.4")), "tracking.match_iuo", "'match_iou'"
    )


def test_value_out_of_range(command, made: Path) -> None:
    assert_refused(command(*run_arguments(made, "--cfg-options", "tracking.match_iou=4")), "tracking.match_iou = 4")


def test_missing_weights(command, made: Path) -> None:
    assert_refused(command(*run_arguments(made, "--cfg-options", "tracker.checkpoint=none.pth")), "none.pth")


@pytest.mark.usefixtures("without_ray")
def test_weights_of_another_shape(command, made: Path, tmp_path: Path) -> None:
    tensors = load_file(resolve("bundled:siammask_small"))
    name = next(iter(sorted(tensors)))
    tensors[name] = torch.zeros(3)
    odd = tmp_path / "odd.safetensors"
    save_file(tensors, odd, metadata={"architecture": '"small"'})
    options = ["--detections", made / "detections.json", "--cfg-options", f"tracker.checkpoint={odd}"]
    assert_refused(command(*run_arguments(made, *options)), "odd.safetensors", name)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ([], ["split.json", "not YouTube-VIS"]),
        ({"images": [], "annotations": []}, ["split.json", "not YouTube-VIS"]),
        (split_json(videos=0), ["split.json", "no videos"]),
        (split_json() | {"videos": split_json()["videos"] * 2}, ["split.json", "video id 1"]),
    ],
)
def test_a_split_that_is_none(command, made: Path, content: Any, named: list[str]) -> None:
    (made / "split.json").write_text(json.dumps(content))
    assert_refused(command(*run_arguments(made)), *named)


def test_a_split_cut_short(command, made: Path) -> None:
    (made / "split.json").write_text(json.dumps(split_json())[:-20])
    assert_refused(command(*run_arguments(made)), "split.json", "not JSON")


def test_an_unwritable_run_folder(command, made: Path) -> None:
    (made / "run").write_text("a file is in the way")
    assert_refused(command(*run_arguments(made)), str(made / "run"))


def test_a_missing_frames_folder(command, made: Path) -> None:
    arguments = run_arguments(made)
    arguments[arguments.index("--frames") + 1] = made / "nowhere"
    assert_refused(command(*arguments), "nowhere")


def test_neither_split_nor_video(command, made: Path) -> None:
    assert_refused(command("run", "procedural_small", "--out", made / "run"), "--split", "--video")


def test_a_single_video_has_no_others_to_go_together_with(command, made: Path) -> None:
    arguments = ["run", "procedural_small", "--video", made / "frames", "--out", made / "run", "--lockstep", 2]
    assert_refused(command(*arguments), "--lockstep", "--split")


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5", ""])
def test_lockstep_is_a_number_or_auto(command, made: Path, given: str) -> None:
    assert_refused(command(*run_arguments(made), "--lockstep", given), "--lockstep", "a number from 1 on, or auto")


def test_a_device_that_is_not_there(command, made: Path) -> None:
    arguments = run_arguments(made)
    arguments[arguments.index("cpu")] = "gpu"
    assert_refused(command(*arguments), "--device gpu")


def test_recorded_detections_of_an_unknown_category(command, made: Path) -> None:
    counts = {"size": [48, 64], "counts": [0, 48 * 64]}
    entry = {"video_id": 1, "frame_index": 0, "category_id": 77, "score": 0.5, "segmentation": counts}
    (made / "detections.json").write_text(json.dumps([entry]))
    outcome = command(*run_arguments(made, "--detections", made / "detections.json"))
    assert_refused(outcome, "entry 0", "77", "--class-map")


@pytest.mark.usefixtures("without_ray")
def test_a_frame_of_another_size_leaves_the_other_videos_finished(command, made: Path) -> None:
    (made / "split.json").write_text(json.dumps(split_json(videos=2)))
    (made / "frames/2").mkdir()
    for index, width in enumerate((64, 50)):
        cv2.imwrite(str(made / f"frames/2/{index}.jpg"), np.full((48, width, 3), 90, np.uint8))
    arguments = run_arguments(made, "--detections", made / "detections.json")
    code, out, err = command(*arguments)
    # Progress comes first; the error is the last line, and the only one of its kind.
    assert_refused((code, out, err.splitlines()[-1]), "video 2", "1.jpg", "50x48")
    assert "Traceback" not in err
    assert (made / "run/videos/1.json").is_file()
    cv2.imwrite(str(made / "frames/2/1.jpg"), np.full((48, 64, 3), 90, np.uint8))
    code, out, err = command(*arguments)
    assert code == 0, err
    assert "1 videos, 2 frames" in out


def test_debug_shows_the_traceback(command, made: Path) -> None:
    for arguments in (["--debug", "run", "procedural_smal"], ["run", "--debug", "procedural_smal"]):
        code, _, err = command(*arguments, *run_arguments(made)[2:])
        assert code == 2
        assert err.startswith("Traceback")
        assert_refused((code, "", err.splitlines()[-1]), "procedural_smal")


def recorded(made: Path, category_id: int) -> list[object]:
    """Arguments of a run with a whole-frame detection of this category in both frames."""
    everywhere = {"size": [48, 64], "counts": [0, 48 * 64]}
    entries = [
        {"video_id": 1, "frame_index": index, "category_id": category_id, "score": 0.5, "segmentation": everywhere}
        for index in range(2)
    ]
    (made / "detections.json").write_text(json.dumps(entries))
    return run_arguments(made, "--detections", made / "detections.json")


@pytest.mark.usefixtures("without_ray")
def test_a_mended_command_may_use_the_run_folder_of_one_that_failed(command, made: Path) -> None:
    arguments = recorded(made, category_id=77)
    assert command(*arguments)[0] == 2
    code, _, err = command(*arguments, "--class-map", "agnostic")
    assert code == 0, err
    outcome = command(*arguments, "--class-map", "agnostic", "--score-thr", 0.9)
    assert_refused(outcome, "other settings", "pipeline", "--out")


@pytest.mark.usefixtures("without_ray")
def test_recorded_detections_below_the_threshold_are_dropped(command, made: Path) -> None:
    for threshold, tracks in ((0.4, 1), (0.6, 0)):
        arguments = [*recorded(made, category_id=1), "--score-thr", threshold]
        arguments[arguments.index("--out") + 1] = made / f"run{threshold}"
        assert command(*arguments)[0] == 0
        assert len(json.loads((made / f"run{threshold}/results.json").read_text())) == tracks


@pytest.mark.parametrize("option", ["detector.config.foo=1", "sources=[dict(a='b',c='d')]", "plain"])
def test_overrides_that_do_not_fit(command, made: Path, option: str) -> None:
    assert_refused(command(*run_arguments(made, "--cfg-options", option)), option)


def test_a_terminal_that_knows_ascii_alone(tmp_path: Path) -> None:
    script = (
        "import sys; sys.argv = ['x', 'submit', 'r\\u00f6 \\u2265 1']; from vis_pipeline.cli.app import main; main()"
    )
    command = [sys.executable, "-c", script]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert (ran.returncode, ran.stderr) == (2, "error: run folder r? ? 1: no run there (config.json is missing)\n")


def test_an_interrupted_run_has_the_results_of_what_is_finished(
    command, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (made / "split.json").write_text(json.dumps(split_json(videos=2)))
    arguments = run_arguments(made, "--detections", made / "detections.json", "--on-bad-frame", "skip")

    def stopped(tasks: Any, make_worker: Any, folder: RunFolder, *rest: Any) -> None:
        folder.write_video(1, VideoOutcome((), 2, 48, 64, {}))
        raise KeyboardInterrupt

    monkeypatch.setattr("vis_pipeline.runs.start.run_videos", stopped)
    code, _, err = command(*arguments)
    assert code != 0 and "Traceback" not in err
    assert json.loads((made / "run/results.json").read_text()) == []
    assert json.loads((made / "run/timings.json").read_text())["frames"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["visualize", "{long}"],
        ["sot", "{long}", "--init", "1,2,3,4", "--weights", "bundled:siammask_small", "--json", "track.json"],
        ["evaluate", "{long}", "--gt", "split.json"],
    ],
)
def test_a_path_longer_than_any_file_system_takes(command, made: Path, monkeypatch, arguments: list[str]) -> None:
    monkeypatch.chdir(made)
    named = [argument.format(long="n" * 300) for argument in arguments]
    assert_refused(command(*named), "n" * 60, "too long")


def test_frame_names_that_no_file_system_takes(command, made: Path) -> None:
    content = split_json(2)
    content["videos"][0]["file_names"][1] = "1/\0.jpg"
    content["videos"][1]["file_names"] = [f"{'n' * 300}/{index}.jpg" for index in range(2)]
    (made / "split.json").write_text(json.dumps(content))
    assert_refused(command(*run_arguments(made, "--detections", made / "detections.json")), "no folder", "n" * 300)
    # With --on-bad-frame skip it goes on, here to the folder that cannot be made.
    skipping = run_arguments(made, "--detections", made / "detections.json", "--on-bad-frame", "skip")
    skipping[skipping.index("--out") + 1] = made / "split.json" / "run"
    assert_refused(command(*skipping), "split.json/run")
