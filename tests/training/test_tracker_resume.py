"""A training that was killed goes on from its last checkpoint to the same bits."""

import pytest
import torch
from tracker_scenes import write_split

from vis_pipeline.training.json_lines import read_lines
from vis_pipeline.training.tracker.learner import Learner
from vis_pipeline.training.tracker.trainer import train_tracker

CONFIG = """
architecture = {architecture!r}
seed = 3
device = "cpu"
sources = [dict(split={split!r}, frames={frames!r})]
schedule = dict(steps=6, batch=2, norm_batches=2, search_sides=[(0.0, 175), (0.9, 255)], {schedule})
learning = dict({learning})
checkpoint_every = 2
log_every = 1
"""

# Checkpoints after 2 and 4 steps. Layers are released, and statistics fixed, before and after the kill, whose step is
# the first of each case.
CASES = {
    "adamw": (3, "small", "warm_up=1, freeze_norm_at=0.5", ""),
    "sgd": (4, "small", "type='sgd', epochs=3, warm_up_epochs=1, freeze_norm_at=0.5", ""),
    "adamw_released": (
        3,
        "small",
        "warm_up=1, freeze_norm_at=0.8",
        "backbone=dict(layer2=0.2, layer3=0.5), backbone_rate=0.1, backbone_statistics='measured'",
    ),
    "sgd_released": (
        4,
        "small",
        "type='sgd', epochs=3, warm_up_epochs=1, freeze_norm_at=0.34",
        "backbone=dict(layer1=0.67, layer3=0.17), backbone_rate=0.1",
    ),
    "two_branch": (3, "small_two_branch", "warm_up=1, freeze_norm_at=0.5", ""),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    split, frames = write_split(tmp_path_factory.mktemp("data"))
    return {"split": str(split), "frames": str(frames)}


@pytest.mark.parametrize("case", CASES)
def test_a_resumed_training_ends_bit_for_bit_where_an_unbroken_one_does(case, data, tmp_path, monkeypatch):
    killed_at, architecture, schedule, learning = CASES[case]
    config = tmp_path / "tiny.py"
    config.write_text(CONFIG.format(architecture=architecture, schedule=schedule, learning=learning, **data))
    train_tracker(str(config), tmp_path / "whole")

    learn = Learner.learn

    def killed(self, step, batch):
        if step == killed_at:
            raise KeyboardInterrupt
        return learn(self, step, batch)

    monkeypatch.setattr(Learner, "learn", killed)
    with pytest.raises(KeyboardInterrupt):
        train_tracker(str(config), tmp_path / "broken")
    monkeypatch.undo()
    train_tracker(str(config), tmp_path / "broken", resume=True)

    whole, resumed = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "broken"))
    assert whole["step"] == resumed["step"] == 6
    for name, value in whole["state_dict"].items():
        assert torch.equal(value, resumed["state_dict"][name]), name
    _equal(whole["optimizer"], resumed["optimizer"])
    lines = [read_lines(tmp_path / name / "log.jsonl") for name in ("whole", "broken")]
    assert [line["losses"] for line in lines[0]] == [line["losses"] for line in lines[1]]


def _equal(first, second):
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            _equal(first[key], second[key])
    elif isinstance(first, list):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            _equal(one, other)
    else:
        assert first == second


def test_other_settings_than_before_are_told(data, tmp_path, capsys):
    config = tmp_path / "tiny.py"
    config.write_text(CONFIG.format(architecture="small", schedule="warm_up=1", learning="", **data))
    train_tracker(str(config), tmp_path / "work")
    train_tracker(str(config), tmp_path / "work", resume=True)
    assert "warning" not in capsys.readouterr().err
    train_tracker(str(config), tmp_path / "work", resume=True, options=["seed=4", "schedule.clip=5.0"])
    assert "warning: goes on with other settings than before: schedule, seed" in capsys.readouterr().err
