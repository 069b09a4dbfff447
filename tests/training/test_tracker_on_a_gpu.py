"""Training a tracker with frames, crops and network on a CUDA device."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tracker_scenes import write_config

from vis_pipeline.training.json_lines import read_lines
from vis_pipeline.training.tracker.trainer import train_tracker

CONFIG = """
architecture = "small"
device = "cuda"
seed = 3
sources = [dict(split={split!r}, frames={frames!r})]
pairs = dict(device_gigabytes=0.5)
schedule = dict(steps=6, batch=4, warm_up=1, freeze_norm_at=0.5, norm_batches=2)
checkpoint_every = 3
log_every = 1
"""


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_tracker_learns(tmp_path: Path) -> None:
    train_tracker(write_config(tmp_path, CONFIG), tmp_path / "work")
    lines = read_lines(tmp_path / "work/log.jsonl")
    assert [line["step"] for line in lines] == list(range(6))
    assert all(np.isfinite(line["losses"]["total"]) for line in lines)
