"""SiamFC and SiamRPN are trained by the command, and by configs, of SiamMask."""

import pytest
import torch
from tracker_scenes import write_config
from typer.testing import CliRunner

from vis_pipeline.cli.app import app
from vis_pipeline.settings.config import load_config, parse
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.checkpoint import load_siammask
from vis_pipeline.training.json_lines import read_lines
from vis_pipeline.training.tracker.recipe import BackboneStart
from vis_pipeline.training.tracker.settings import TrackerTraining
from vis_pipeline.training.tracker.step import loss_names

TINY = """
_base_ = [{base!r}]
sources = [dict(split={split!r}, frames={frames!r})]
schedule = dict(_delete_=True, steps=2, batch=2, norm_batches=1, warm_up=0, search_sides=[(0.0, 175), (1.0, 255)])
pairs = dict(_delete_=True)
precision = "float32"
log_every = 1
"""
PAIRS = {
    "siamfc_r50": "siammask_r50_two_branch",
    "siamrpn_r50": "siammask_r50_base_paper",
    "siamfc_small": "siammask_small_two_branch",
    "siamrpn_small": "siammask_small_base",
}
BASELINES = [*PAIRS, "siamfc_alexnet", "siamrpn_alexnet", "siamfc_small_alexnet", "siamrpn_small_alexnet"]


def preset(name):
    return parse(TrackerTraining, load_config(name), name)


@pytest.mark.parametrize(
    ("name", "losses"),
    [("siamfc_small", {"similarity"}), ("siamrpn_small_alexnet", {"score", "box"})],
)
def test_baselines_are_trained_by_the_same_command(tmp_path, name, losses):
    from configs import trackers

    base = f"{trackers.__path__[0]}/{name}.py"
    config = write_config(tmp_path, TINY.replace("{base!r}", repr(base)))
    result = CliRunner().invoke(app, ["train", "tracker", config, "--work-dir", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert set(read_lines(tmp_path / "out" / "log.jsonl")[-1]["losses"]) == {"total", *losses}
    network = load_siammask(tmp_path / "out" / "tracker.safetensors")
    assert network.architecture == ARCHITECTURES[preset(name).architecture]
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_learn_what_they_have_branches_for(name):
    settings = preset(name)
    architecture = ARCHITECTURES[settings.architecture]
    expected = ("similarity",) if name.startswith("siamfc") else ("score", "box")
    assert loss_names(architecture, settings.losses) == expected
    assert architecture.branches == (("score",) if name.startswith("siamfc") else ("score", "box"))


@pytest.mark.parametrize(("name", "siammask"), PAIRS.items())
def test_a_baseline_differs_from_its_siammask_in_the_mask_branch_alone(name, siammask):
    baseline, whole = preset(name), preset(siammask)
    for part in ("sources", "pairs", "augment", "labels", "learning", "schedule", "seed", "precision", "init"):
        assert getattr(baseline, part) == getattr(whole, part), part
    for loss in loss_names(ARCHITECTURES[baseline.architecture], baseline.losses):
        assert getattr(baseline.losses, loss) == getattr(whole.losses, loss)
    one, other = ARCHITECTURES[baseline.architecture], ARCHITECTURES[whole.architecture]
    assert {*other.branches} - {*one.branches} == {"mask"}
    assert (one.block, one.widths, one.depths, one.anchors) == (other.block, other.widths, other.depths, other.anchors)


@pytest.mark.parametrize("name", ["siamfc_alexnet", "siamrpn_alexnet"])
def test_alexnet_learns_from_scratch_and_the_resnet_from_imagenet(name):
    alexnet, resnet = preset(name), preset(name.replace("alexnet", "r50"))
    assert (alexnet.init, set(alexnet.learning.backbone.values())) == (None, {0.0})
    assert isinstance(resnet.init, BackboneStart)
    rates = alexnet.schedule.start_rate, alexnet.schedule.learning_rate, alexnet.schedule.final_rate
    assert (rates, alexnet.schedule.epochs) == ((1e-2, 1e-2, 1e-5), 50)
