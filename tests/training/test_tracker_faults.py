"""What a training does when its loss is not finite, the disk is full, or a package is missing."""

import json
import os
import resource
import sys

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tracker_scenes import settings_of, write_config

from vis_pipeline.errors import ConfigError, DataError, WeightsError
from vis_pipeline.training import checkpoint, log
from vis_pipeline.training.checkpoint import load_checkpoint, save_checkpoint
from vis_pipeline.training.json_lines import read_lines
from vis_pipeline.training.log import TrainingLog, draw_curves
from vis_pipeline.training.tracker import learner
from vis_pipeline.training.tracker.learner import Learner
from vis_pipeline.training.tracker.trainer import train_tracker

CONFIG = """
architecture = "small"
sources = [dict(split={split!r}, frames={frames!r})]
schedule = dict(steps=4, batch=5, norm_batches=1, search_sides=[(0.0, 175), (1.0, 255)])
checkpoint_every = 1
log_every = 3
"""
LINE = {"step": 0, "learning_rate": 0.1, "pairs_per_second": 9.0, "gradient_norm": 1.0, "losses": {"total": 2.0}}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("data"), CONFIG)


@pytest.fixture
def state():
    return Learner(settings_of(), torch.device("cpu")).state


@pytest.mark.parametrize("named", ["loss", "gradient"])
def test_a_loss_that_is_not_finite_stops_with_the_step_and_the_pairs(config, tmp_path, monkeypatch, named):
    total_loss, calls = learner.total_loss, []

    def third_is_not_finite(found, weights):
        calls.append(found)
        loss = total_loss(found, weights)
        if len(calls) < 3:
            return loss
        # The square root of 0 has no finite gradient, though it is 0 itself.
        return loss * torch.nan if named == "loss" else loss + torch.sqrt(found["box"] * 0)

    monkeypatch.setattr(learner, "total_loss", third_is_not_finite)
    with pytest.raises(ConfigError) as caught:
        train_tracker(config, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"training step 2: the {named} is not finite (score ")
    assert "\n" not in message
    record = json.loads((tmp_path / "not_finite.json").read_text())
    assert record["step"] == 2
    assert record["values"]["gradient"] == "nan"
    assert len(record["pairs"]) == 5
    first = record["pairs"][0]
    assert "001/0000" in first or "002/0000" in first
    assert first.count(".png") == 2
    assert f"; lower schedule.learning_rate and go on with --resume, or look at the batch: {first}; " in message
    assert f"and 1 more in {tmp_path / 'not_finite.json'}" in message
    # The state before the step is still there to go on from.
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 2
    monkeypatch.undo()
    train_tracker(config, tmp_path, resume=True)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 4


def test_a_write_that_fails_midway_leaves_the_checkpoint_that_was_there(state, tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, 7, state)
    before = path.read_bytes()

    def half(content, file):
        file.write(before[: len(before) // 2])
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(checkpoint.torch, "save", half)
    with pytest.raises(WeightsError, match=r"checkpoint.pt: cannot be written \(.*No space left on device\)") as caught:
        save_checkpoint(path, 8, state)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert load_checkpoint(path, state) == 7


def test_a_disk_that_takes_no_more_bytes_leaves_the_checkpoint_that_was_there(state, tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, 7, state)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(WeightsError, match=r"checkpoint.pt: cannot be written") as caught:
            save_checkpoint(path, 8, state)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_training_that_the_disk_stops_goes_on_from_its_last_checkpoint(config, tmp_path, monkeypatch):
    save, calls = torch.save, []

    def third_fails(content, file):
        calls.append(content)
        if len(calls) == 3:
            file.write(b"PK")
            raise OSError(28, os.strerror(28))
        save(content, file)

    monkeypatch.setattr(checkpoint.torch, "save", third_fails)
    with pytest.raises(WeightsError, match="No space left on device"):
        train_tracker(config, tmp_path)
    monkeypatch.undo()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 2
    (tmp_path / ".checkpoint.pt.0.part").write_bytes(b"what a killed process left")
    train_tracker(config, tmp_path, resume=True)
    assert not list(tmp_path.glob(".*"))
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 4


def test_a_log_on_a_full_disk_is_one_line(tmp_path):
    record = TrainingLog(tmp_path / "log.jsonl", 0, None)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        with pytest.raises(DataError, match=r"log.jsonl: cannot be written"):
            record.append(LINE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read_lines(tmp_path / "log.jsonl") == []


def test_a_checkpoint_of_another_schedule_is_refused(state, tmp_path):
    save_checkpoint(tmp_path / "checkpoint.pt", 7, state)
    other = Learner(settings_of(schedule={"type": "sgd", "steps": 4}), torch.device("cpu")).state
    with pytest.raises(WeightsError, match=r"checkpoint.pt: of a training with adamw, the config says sgd"):
        load_checkpoint(tmp_path / "checkpoint.pt", other)


def test_tensorboard_that_is_not_installed_is_named_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(
        ConfigError, match=r"--tensorboard: needs the package tensorboard; run .*vis_pipeline\[tensorboard\]"
    ):
        TrainingLog(tmp_path / "log.jsonl", 0, tmp_path / "tensorboard")


def test_tensorboard_reads_back_what_was_written_and_goes_on_where_a_resumed_training_does(tmp_path):
    folder = tmp_path / "tensorboard"
    for first, loss, steps in ((0, 2.0, (2, 5, 8)), (6, 0.5, (8, 11))):
        record = TrainingLog(tmp_path / "log.jsonl", first, folder)
        for step in steps:
            record.append({**LINE, "step": step, "losses": {"total": loss, "box": loss / 4}})
        record.close()
    written = EventAccumulator(str(folder))
    written.Reload()
    losses = ("losses/total", "losses/box")
    assert set(written.Tags()["scalars"]) == {"learning_rate", "pairs_per_second", "gradient_norm", *losses}
    values = [(event.step, event.value) for event in written.Scalars("losses/total")]
    assert values == [(2, 2.0), (5, 2.0), (8, 0.5), (11, 0.5)]
    assert [event.value for event in written.Scalars("losses/box")] == [0.5, 0.5, 0.125, 0.125]


def test_a_resumed_log_drops_the_lines_that_will_come_again(tmp_path):
    path = tmp_path / "log.jsonl"
    record = TrainingLog(path, 0, None)
    for step in (2, 5, 8):
        record.append({**LINE, "step": step})
    path.open("a").write('{"step": 11, "lea')
    TrainingLog(path, 6, None)
    assert [line["step"] for line in read_lines(path)] == [2, 5]


def test_curves_have_a_panel_for_the_rate_and_for_each_loss(tmp_path, monkeypatch):
    from matplotlib import pyplot

    path = tmp_path / "log.jsonl"
    record = TrainingLog(path, 0, None)
    for step in range(100):
        record.append(
            {**LINE, "step": step, "learning_rate": step / 1000, "losses": {"total": step, "box": 100 - step}}
        )
    drawn = []
    monkeypatch.setattr(log, "_writing", lambda picture: drawn.extend(pyplot.gcf().axes) or _Nothing())
    draw_curves(path, tmp_path / "losses.png")
    assert [axis.get_title() for axis in drawn] == ["learning rate", "total", "box"]
    rate, total, box = (axis.lines[-1].get_ydata() for axis in drawn)
    assert rate[-1] == pytest.approx(0.099)
    # Forty stretches of 100 steps: the first has steps 0 to 2.
    assert (len(total), total[0], box[0]) == (40, 1.0, 99.0)
    assert (tmp_path / "losses.png").stat().st_size > 1000


class _Nothing:
    def __enter__(self):
        return None

    def __exit__(self, *_):
        return None
