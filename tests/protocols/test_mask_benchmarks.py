"""`bench sot` with the benchmarks whose results are masks: run, packed and scored, one bad sequence aside."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from drawn_objects import LENGTH, drawn_video, write_frames, write_label_maps
from typer.testing import CliRunner

from evaluation.davis import Form
from evaluation.davis_folders import folder_scores
from vis_pipeline.cli.app import app
from vis_pipeline.errors import DataError

NAMES = [f"{index:05d}" for index in range(LENGTH)]
FIXED = ("--weights", "bundled:siammask_small", "--device", "cpu")


def bench(protocol: str, data: Path, out: Path, *rest: str) -> Result:
    return CliRunner().invoke(app, ["bench", "sot", protocol, "--data", str(data), *FIXED, "--out", str(out), *rest])


def truth(numbers: tuple[int, ...] = (1, 2, 3)) -> dict[str, np.ndarray]:
    return {name: labels * np.isin(labels, numbers) for name, labels in zip(NAMES, drawn_video()[1], strict=True)}


@pytest.mark.parametrize(
    ("protocol", "form"), [("davis-2016", Form.SINGLE_OBJECT), ("davis-2017", Form.SEMI_SUPERVISED)]
)
def test_davis_is_run_and_scored_but_for_what_is_bad(protocol: str, form: Form, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    for name in ("good", "harmed"):
        write_frames(data / "JPEGImages/480p" / name, NAMES)
        write_label_maps(data / "Annotations/480p" / name, truth((1,) if protocol == "davis-2016" else (1, 3)))
    image = data / "JPEGImages/480p/harmed/00004.jpg"
    sound = image.read_bytes()
    image.write_bytes(sound[:200])
    done = bench(protocol, data, out)
    assert isinstance(done.exception, DataError) and "1 of 2 sequences have no results (harmed)" in str(done.exception)
    assert "00004.jpg" in done.output
    scores = json.loads((out / "scores.json").read_text())
    expected, _ = folder_scores(out / "results", data / "Annotations/480p", ["good"], form)
    assert scores == json.loads(json.dumps(expected.to_json())) and scores["J&F"] > 0.7
    image.write_bytes(sound)
    done = bench(protocol, data, out)
    assert done.exit_code == 0, done.output
    assert json.loads((out / "scores.json").read_text())["sequences"].keys() == {"good", "harmed"}
    for name in ("good", "harmed"):
        for path in (data / "Annotations/480p" / name).iterdir():
            if path.stem != NAMES[0]:
                path.unlink()
    done = bench(protocol, data, out)
    assert done.exit_code == 0 and "has no ground truth of this benchmark" in done.output


def test_youtube_vos_is_run_packed_and_scored(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    frames = {"1": NAMES, "3": NAMES, "2": NAMES[2:]}
    objects: dict[str, Any] = {
        number: {"category": "seal" if number == "2" else "owl", "frames": listed} for number, listed in frames.items()
    }
    write_frames(data / "valid/JPEGImages/0a", NAMES)
    write_label_maps(data / "valid/Annotations/0a", truth())
    (data / "valid/meta.json").write_text(json.dumps({"videos": {"0a": {"objects": objects}}}))
    (data / "train").mkdir()
    (data / "train/meta.json").write_text(json.dumps({"videos": {"9z": {"objects": {"1": objects["1"]}}}}))
    done = bench("youtube-vos-2019", data, out)
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(out / "results/submission.zip") as archive:
        assert archive.namelist() == [f"Annotations/0a/{name}.png" for name in NAMES]
    scores = json.loads((out / "scores.json").read_text())
    assert {name: group["objects"] for name, group in scores["groups"].items()} == {"seen": 2, "unseen": 1}
    figures = [group[measure] for group in scores["groups"].values() for measure in "JF"]
    assert scores["overall"] == pytest.approx(np.mean(figures)) and min(figures) > 0.5
    shutil.copytree(data / "valid/JPEGImages", data / "valid_all_frames/JPEGImages")
    done = bench("youtube-vos-2019-all-frames", data, tmp_path / "all")
    assert done.exit_code == 0, done.output
    for name in NAMES:
        one, other = (folder / f"results/Annotations/0a/{name}.png" for folder in (out, tmp_path / "all"))
        assert one.read_bytes() == other.read_bytes()
