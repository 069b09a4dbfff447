"""A training from end to end: what it writes, that it resumes to the bit, and what it says to bad input."""

import json
import sys
from functools import lru_cache
from pathlib import Path

import pytest
import torch
from tracker_scenes import write_split

from detectors.choices import DetectorChoice
from detectors.mmdet_regions import MmdetRegions
from vis_pipeline.cli.app import main
from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.config import load_config, parse
from vis_pipeline.trackers.siam_rcnn.checkpoint import load_redetector
from vis_pipeline.training.json_lines import read_lines
from vis_pipeline.training.redetector import trainer
from vis_pipeline.training.redetector.settings import RedetectorTraining
from vis_pipeline.training.redetector.trainer import RedetectorTrainer, train_redetector
from vis_pipeline.weights.files import read_metadata

CONFIG = """
detector = dict(config="recipes/htc_small_mixed", checkpoint="bundled:htc_small")
sources = [dict(split={split!r}, frames={frames!r})]
store = dict(folder={features!r}, frames_per_video=4)
head = dict(conv_channels=8, fc_channels=8)
pairs = dict(regions=12)
hard_examples = dict(neighbours=8, negatives=3, positives=2,
                     embedding=dict(channels=8, class_steps=2, instance_steps=2, groups=3, members=2))
schedule = dict(steps=4, batch=2, warm_up=1)
device = "cpu"
checkpoint_every = 2
log_every = 1
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("data")
    split, frames = write_split(folder)
    path = folder / "tiny.py"
    path.write_text(CONFIG.format(split=str(split), frames=str(frames), features=str(folder / "features")))
    return str(path)


@pytest.fixture(autouse=True)
def _detector_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "_region_source", _source)


@lru_cache
def _of_detector(choice: DetectorChoice, device: torch.device) -> MmdetRegions:
    return choice.region_source(device)  # type: ignore[return-value]


def _source(settings: RedetectorTraining, device: torch.device) -> MmdetRegions:
    return _of_detector(settings.detector, device)


def test_a_killed_training_ends_bit_for_bit_where_an_unbroken_one_does(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = train_redetector(config, tmp_path / "whole")
    learn = RedetectorTrainer._learn

    def killed(self, lesson, step, rate):  # type: ignore[no-untyped-def]
        if step == 3:
            raise KeyboardInterrupt
        return learn(self, lesson, step, rate)

    monkeypatch.setattr(RedetectorTrainer, "_learn", killed)
    with pytest.raises(KeyboardInterrupt):
        train_redetector(config, tmp_path / "broken")
    monkeypatch.undo()
    train_redetector(config, tmp_path / "broken", resume=True)
    whole, resumed = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "broken"))
    assert whole["step"] == resumed["step"] == 4
    for name, value in whole["state_dict"].items():
        assert torch.equal(value, resumed["state_dict"][name]), name
    lines = [read_lines(tmp_path / name / "log.jsonl") for name in ("whole", "broken")]
    assert [line["losses"] for line in lines[0]] == [line["losses"] for line in lines[1]]
    assert set(lines[0][0]["losses"]) >= {"total", "class_1", "box_3", "negative", "positive", "positive_box"}
    network = load_redetector(weights, channels=48)
    assert network.architecture.fc_channels == 8
    metadata = read_metadata(weights)
    assert metadata["detector"] == "bundled:htc_small"
    assert metadata["training"]["step"] == 4
    assert str(tmp_path) not in json.dumps(metadata) and "/tmp" not in json.dumps(metadata["training"])
    assert (tmp_path / "whole" / "losses.png").is_file()
    with pytest.raises(ConfigError, match="holds a training; give --resume"):
        train_redetector(config, tmp_path / "whole")


def test_without_hard_examples_there_is_no_embedding(config: str, tmp_path: Path) -> None:
    train_redetector(config, tmp_path / "w", options=["hard_examples=None", "schedule.steps=1", "precision=bfloat16"])
    (line,) = read_lines(tmp_path / "w" / "log.jsonl")
    assert "negative" not in line["losses"]
    assert not (tmp_path / "w" / "embedding.safetensors").exists()


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("head.groups=3", "head.groups = 3: do not divide 8 channels"),
        ("schedule.stepz=3", "stepz"),
        ("detector.config=mmdet::solo/solo_r50_fpn_1x_coco.py", "mmdet::solo/solo_r50_fpn_1x_coco.py"),
        ("schedule.learning_rate=1e30", "is not finite"),
    ],
)
def test_bad_input_is_one_line(
    config: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    words: str,
) -> None:
    arguments = ["train", "redetector", config, "--work-dir", str(tmp_path / "w"), "--cfg-options", option]
    monkeypatch.setattr(sys, "argv", ["vis-pipeline", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert words in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("name", ["redetector_small", "redetector_lite_real"])
def test_packaged_recipes_are_settings(name: str) -> None:
    settings = parse(RedetectorTraining, load_config(name, []), name)
    assert settings.hard_examples is not None
    assert settings.detector.weights().is_file()
