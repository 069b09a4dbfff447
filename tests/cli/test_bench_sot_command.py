"""`bench sot`: from the sequences of a benchmark to its result files, scores and curves."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import pytest

from evaluation.single_object.number_files import read_boxes
from vis_pipeline.files import whole_files
from vis_pipeline.synthesis.procedural.video import generate_video

Command = Callable[..., tuple[int, str, str]]
FIXED = ("--weights", "bundled:siammask_small", "--device", "cpu")


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return list(generate_video(seed=20000, index=0).frames[:4])


@pytest.fixture
def data(images: list[np.ndarray], tmp_path: Path) -> Path:
    """Two sequences of four drawn frames in OTB's form; the second one's truth has a box too few."""
    for name in ("good", "short"):
        folder = tmp_path / "data" / name
        (folder / "img").mkdir(parents=True)
        for number, image in enumerate(images, start=1):
            cv2.imwrite(str(folder / "img" / f"{number:04}.png"), image)
        (folder / "groundtruth_rect.txt").write_text("92,51,57,54\n" * (4 if name == "good" else 5))
    return tmp_path / "data"


def test_results_scores_and_curves(command: Command, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ("bench", "sot", "otb", "--data", data, *FIXED, "--out", out, "--boxes", "min-max")
    code, printed, said = command(*asked)
    assert code == 2
    assert "sequence short: " in said and "5 rows, and 4 images" in said
    assert "1 of 2 sequences have no results (short)" in " ".join(said.split())
    boxes = read_boxes(out / "results/good.txt", 4)
    assert boxes[0].tolist() == [92, 51, 57, 54]
    assert (boxes[1:] == np.round(boxes[1:])).all()
    scores = json.loads((out / "scores.json").read_text())
    assert scores["overall"]["AUC"] > 0.5 and f"{scores['overall']['AUC']:.3f}" in printed
    curves = cv2.imread(str(out / "curves.png"))
    assert curves.shape[1] > 2 * curves.shape[0]
    assert np.ptp(curves) > 100
    (data / "short/groundtruth_rect.txt").write_text("92,51,57,54\n" * 4)
    code, _, said = command(*asked)
    assert code == 0 and "1 sequences were finished by an earlier run" in said
    assert json.loads((out / "scores.json").read_text())["sequences"].keys() == {"good", "short"}
    code, _, said = command(*asked, "--preset", "vot")
    assert code == 2 and "other settings (preset)" in said


def test_a_box_beside_the_first_frame_is_the_sequences_fault(command: Command, data: Path, tmp_path: Path) -> None:
    (data / "short/groundtruth_rect.txt").write_text("900,51,57,54\n" * 4)
    code, _, said = command("bench", "sot", "otb", "--data", data, *FIXED, "--out", tmp_path / "out")
    assert code == 2
    assert "sequence short set aside: box 899,50,57,54: outside frame 0001.png, which is 320x192" in said


def test_an_interrupt_says_what_is_finished(
    command: Command, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "short/groundtruth_rect.txt").write_text("92,51,57,54\n" * 4)
    asked = ("bench", "sot", "otb", "--data", data, *FIXED, "--out", tmp_path / "out")
    write = whole_files.write_text

    def interrupted(path: Path, text: str) -> None:
        if path.name == "short.txt":
            os.kill(os.getpid(), signal.SIGINT)
        write(path, text)

    def leave(code: int) -> NoReturn:
        raise SystemExit(code)

    with monkeypatch.context() as patch:
        patch.setattr(os, "_exit", leave)
        patch.setattr("vis_pipeline.protocols.one_pass.write_text", interrupted)
        code, _, said = command(*asked)
    assert code == 130
    assert said.splitlines()[-1] == "interrupted (SIGINT): 1 of 2 sequences are finished; the same command goes on"
    assert [path.name for path in (tmp_path / "out/results").iterdir()] == ["good.txt"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("otc",), "benchmark otc: unknown; did you mean 'otb'?"),
        (("otb", "--cfg-options", "penalty=1"), "unknown key 'penalty'; did you mean 'penalty_k'?"),
        (("otb", "--cfg-options", "preset=vot"), "preset: has an option of its own"),
        (("otb", "--weights", "gone.pth"), "gone.pth"),
        (("got10k",), "holds no sequence of this benchmark's form"),
    ],
)
def test_bad_input_is_one_line(command: Command, data: Path, tmp_path: Path, given: tuple[str, ...], said: str) -> None:
    protocol, *rest = given
    code, _, printed = command("bench", "sot", protocol, "--data", data, *FIXED, "--out", tmp_path / "out", *rest)
    assert code == 2
    assert said in printed and len(printed.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_curves_of_results_that_are_there(command: Command, data: Path, tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("92,51,57,54\n" * 4)
    listing = tmp_path / "one.txt"
    listing.write_text("good\n")
    given = ("sot-scores", "otb", tmp_path, "--gt", data, "--sequences", listing, "--curves", tmp_path / "a.png")
    assert command(*given)[0] == 0
    assert cv2.imread(str(tmp_path / "a.png")) is not None
