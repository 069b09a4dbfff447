"""The training loop on a tiny split: what it writes, resuming, and its errors."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from tracker_scenes import write_config
from typer.testing import CliRunner

from vis_pipeline.cli.app import app
from vis_pipeline.errors import ConfigError, WeightsError
from vis_pipeline.trackers.siammask.checkpoint import load_siammask
from vis_pipeline.training.json_lines import read_lines
from vis_pipeline.training.tracker.trainer import train_tracker

OPTIONS = ("pairs.history=2", "pairs.crowded=0.5")
CONFIG = """
architecture = "small"
seed = 3
sources = [dict(split={split!r}, frames={frames!r})]
schedule = dict(steps=4, batch=2, warm_up=1, freeze_norm_at=0.5, norm_batches=2, search_sides=[(0.0, 175), (0.75, 255)])
checkpoint_every = 3
log_every = 1
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("data"), CONFIG)


@pytest.fixture(scope="module")
def trained(config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp("whole")
    command = ["train", "tracker", config, "--work-dir", str(work_dir), "--official-keys", str(work_dir / "keys.pth")]
    result = CliRunner().invoke(app, command + [part for option in OPTIONS for part in ("--cfg-options", option)])
    assert result.exit_code == 0, result.output
    assert "tracker.safetensors" in result.output.replace("\n", "")
    return work_dir


def test_a_training_leaves_weights_log_and_curves(trained):
    network = load_siammask(trained / "tracker.safetensors")
    assert not network.training
    with safe_open(trained / "tracker.safetensors", framework="pt") as file:
        training = json.loads(file.metadata()["training"])
    assert training["step"] == 4
    assert training["sources"][0]["split"].endswith("/instances.json")
    assert not Path(training["sources"][0]["split"]).is_absolute()
    assert [line["step"] for line in read_lines(trained / "log.jsonl")] == [0, 1, 2, 3]
    assert set(read_lines(trained / "log.jsonl")[0]["losses"]) == {"total", "score", "box", "refined", "second_stage"}
    assert (trained / "losses.png").stat().st_size > 1000
    record = json.loads((trained / "config.json").read_text())
    assert record["schedule"]["steps"] == 4
    assert record["pairs"]["history"] == 2


def test_both_forms_of_the_weights_give_the_same_network(trained):
    ours, official = (load_siammask(trained / name) for name in ("tracker.safetensors", "keys.pth"))
    content = torch.load(trained / "keys.pth", weights_only=True)["state_dict"]
    assert content["features.features.conv1.weight"].dtype == torch.float32
    crops = torch.rand(1, 3, 127, 127, generator=torch.Generator().manual_seed(0)) * 255
    with torch.inference_mode():
        found = [
            network.refine_whole(
                network.search(crops), network.mask_correlation(network.template(crops), network.search(crops))
            )
            for network in (ours, official)
        ]
    assert torch.equal(*found)


def test_a_work_folder_in_use_is_not_overwritten(config, trained):
    with pytest.raises(ConfigError, match="holds a training; give --resume"):
        train_tracker(config, trained)


def test_an_unknown_key_is_named_with_the_nearest_one(config, tmp_path):
    with pytest.raises(ConfigError, match=r"learning_rat'; did you mean 'learning_rate'"):
        train_tracker(config, tmp_path, options=["schedule.learning_rat=0.1"])


def test_an_unknown_architecture_is_named(config, tmp_path):
    with pytest.raises(ConfigError, match="cannot train the architecture 'tiny'"):
        train_tracker(config, tmp_path, options=["architecture=tiny"])


def test_a_damaged_checkpoint_is_named(config, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="checkpoint"):
        train_tracker(config, tmp_path, resume=True)


def test_without_refinement_the_coarse_mask_is_learned(config, tmp_path):
    train_tracker(config, tmp_path, options=["architecture=small_no_refine", "schedule.steps=1"])
    assert set(read_lines(tmp_path / "log.jsonl")[0]["losses"]) == {"total", "score", "box", "mask", "second_stage"}


def test_losses_that_the_architecture_has_no_branch_for_are_refused(config, tmp_path):
    options = ["losses.score=0", "losses.box=0", "losses.refined=0", "losses.second_stage=0"]
    with pytest.raises(ConfigError, match="losses: none with a weight is one of the architecture 'small'"):
        train_tracker(config, tmp_path, options=options)


def test_a_device_that_is_not_there_is_named(config, tmp_path):
    with pytest.raises(ConfigError, match="device cuda:99"):
        train_tracker(config, tmp_path, options=["device=cuda:99"])


def test_official_keys_into_no_folder_are_refused_before_the_training(config, tmp_path):
    with pytest.raises(ConfigError, match=r"--official-keys .*missing/keys.pth: there is no such folder"):
        train_tracker(config, tmp_path / "work", official_keys=tmp_path / "missing" / "keys.pth")
    assert not (tmp_path / "work").exists()
