"""Training a detector with several processes, as torchrun starts them, on the CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from detector_models import narrow

from detectors.mmdet_config import read_config
from vis_pipeline.cli.app import app
from vis_pipeline.errors import ConfigError
from vis_pipeline.training.detector import sampling
from vis_pipeline.training.detector.processes import joined
from vis_pipeline.training.detector.sampling import SeededFrames


class Parts:
    def __init__(self, *parts: tuple[int, float]) -> None:
        self.parts = parts


def draws(monkeypatch: pytest.MonkeyPatch, rank: int, processes: int, count: int, skipped: int = 0) -> list[int]:
    monkeypatch.setattr(sampling, "get_dist_info", lambda: (rank, processes))
    sampler = SeededFrames(Parts((7, 0.5), (5, 0.5)), seed=3)
    sampler.skip(skipped)
    return [draw.number for draw, _ in zip(sampler, range(count), strict=False)]


def test_processes_take_the_draws_in_turn_and_resume_where_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [draws(monkeypatch, rank, 3, 3) for rank in range(3)] == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    assert draws(monkeypatch, 1, 3, 2, skipped=2) == [7, 10]


def test_a_launcher_that_is_not_torchrun_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    with pytest.raises(ConfigError, match="LOCAL_RANK is not set; start the training with torchrun"), joined():
        pass


def test_two_processes_go_through_a_training_and_write_once(tmp_path: Path) -> None:
    split = tmp_path / "split"
    app(["synth", "--seed", "0", "--videos", "1", "--out", str(split)], standalone_mode=False)
    config = read_config("detectors/htc_small_procedural")
    narrow(config.model)
    config.train_dataloader.dataset.data_root = str(split)
    config.train_dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
    config.train_cfg.max_iters = 2
    config.custom_hooks[0].interval = 1
    config.dump(str(tmp_path / "tiny.py"))
    command = ["torch.distributed.run", "--nproc-per-node", "2", "-m", "vis_pipeline", "train", "detector"]
    folder = tmp_path / "work"
    ended = subprocess.run(
        [sys.executable, "-m", *command, str(tmp_path / "tiny.py"), "--work-dir", str(folder)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.count("weights: ") == 1
    lines = [json.loads(line) for line in (folder / "losses.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    names = torch.load(folder / "iter_2.pth", weights_only=False)["state_dict"]
    assert not any(name.startswith("module.") for name in names)
