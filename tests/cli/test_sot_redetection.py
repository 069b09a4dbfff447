"""`sot` with a re-detector: Siam R-CNN, and SiamMask that finds again what it lost."""

import json
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from typer.testing import CliRunner

from vis_pipeline.cli.app import app
from vis_pipeline.errors import ConfigError, UserError
from vis_pipeline.synthesis.procedural.video import generate_video
from vis_pipeline.trackers.siam_rcnn.checkpoint import save_redetector
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector, RedetectorArchitecture


def _redetector(path: Path, channels: int) -> None:
    torch.manual_seed(0)
    architecture = RedetectorArchitecture(channels=channels, conv_channels=8, fc_channels=16, groups=4)
    save_redetector(path, Redetector(architecture), "test")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sot")
    (folder / "clip").mkdir()
    for index, image in enumerate(generate_video(seed=20000, index=0).frames[:3]):
        cv2.imwrite(str(folder / "clip" / f"{index}.png"), image)
    _redetector(folder / "small.safetensors", 48)
    _redetector(folder / "wide.safetensors", 64)
    return folder


def run(scene: Path, *arguments: Any) -> Any:
    fixed = ["sot", scene / "clip", "--init", "91,50,57,54", "--device", "cpu", "--config", "procedural_small"]
    return CliRunner().invoke(app, [str(argument) for argument in [*fixed, *arguments]])


@pytest.mark.parametrize("masks", [[], ["--weights", "bundled:siammask_small"]])
def test_siam_rcnn_writes_and_draws_what_siammask_does(scene: Path, tmp_path: Path, masks: list[str]) -> None:
    given = ["--tracker", "siam_rcnn", "--redetector", scene / "small.safetensors", "--selection", "argmax", *masks]
    result = run(scene, *given, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "track.json").read_text())
    assert [content[name] for name in ("tracker", "selection", "config")] == ["siam_rcnn", "argmax", "procedural_small"]
    assert content["looks"] == "colours"
    assert content["weights"] == (masks[1] if masks else None)
    frames = content["frames"]
    assert [set(entry) for entry in frames] == [{"frame", "box", "score", "segmentation", "rotated_box"}] * 3
    assert any(entry["segmentation"] for entry in frames[1:])
    assert {path.name for path in tmp_path.iterdir()} == {"track.json", "clip.mp4", "clip.png"}


def test_siammask_takes_a_redetector(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "track.json"
    given = ["--weights", "bundled:siammask_small", "--json", out]
    assert run(scene, *given).exit_code == 0
    alone = json.loads(out.read_text())
    result = run(scene, *given, "--redetector", scene / "small.safetensors", "--looks", "alike")
    assert result.exit_code == 0, result.output
    content = json.loads(out.read_text())
    assert content.pop("redetector") and content.pop("config") == "procedural_small"
    assert content.pop("looks") == "alike"
    # Nothing was lost in three frames.
    assert content == alone


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "no SiamMask; give --weights"),
        (["--tracker", "siam_rcnn"], "no re-detector; give --redetector"),
        (["--tracker", "siam_rcnn", "--redetector", "wide.safetensors"], "of 64 channels, the detector gives 48"),
        (["--tracker", "siam_rcnn", "--redetector", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--weights", "bundled:siammask_small", "--redetector", "bundled:siammask_small"], "no re-detector's"),
    ],
)
def test_faults_name_their_culprit(scene: Path, tmp_path: Path, given: list[str], words: str) -> None:
    paths = [str(scene / part) if part.endswith("wide.safetensors") else part for part in given]
    result = run(scene, *paths, "--json", tmp_path / "out.json")
    assert isinstance(result.exception, UserError)
    assert words in str(result.exception)
    assert not (tmp_path / "out.json").exists()


def test_an_unknown_config_is_a_fault(scene: Path, tmp_path: Path) -> None:
    given = ["--redetector", scene / "small.safetensors", "--weights", "bundled:siammask_small"]
    result = run(scene, *given, "--config", "procedural_smal", "--json", tmp_path / "out.json")
    assert isinstance(result.exception, ConfigError)
