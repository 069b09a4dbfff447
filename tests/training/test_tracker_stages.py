"""The stages of a training, one from the other's weights, and the packaged configs that make them."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tracker_scenes import write_split
from typer.testing import CliRunner

from vis_pipeline.cli.app import app
from vis_pipeline.errors import ConfigError, WeightsError
from vis_pipeline.settings.config import load_config, parse
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.training.json_lines import read_lines
from vis_pipeline.training.tracker.recipe import BackboneStart, NetworkStart, SgdLogarithmic
from vis_pipeline.training.tracker.settings import TrackerTraining
from vis_pipeline.training.tracker.source_settings import DavisSource
from vis_pipeline.training.tracker.start import load_network
from vis_pipeline.training.tracker.trainer import train_tracker

BASE = """
architecture = "small_no_refine"
sources = [dict(split={split!r}, frames={frames!r})]
schedule = dict(steps=2, batch=2, norm_batches=1, warm_up=0, search_sides=[(0.0, 175), (1.0, 255)])
log_every = 1
"""
REFINE = """
_base_ = ["./base.py"]
architecture = "small"
init = dict(type="network", path={weights!r})
pairs = dict(negatives=0.0)
losses = dict(score=0.0, box=0.0)
learning = dict(backbone=dict(), frozen=["adjust", "rpn_model", "mask_model"])
schedule = dict(search_sides=[(0.0, 143)])
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder with the config and the result of a base stage."""
    folder = tmp_path_factory.mktemp("stages")
    split, frames = write_split(folder)
    (folder / "base.py").write_text(BASE.format(split=str(split), frames=str(frames)))
    train_tracker(str(folder / "base.py"), folder / "base")
    return folder


def test_the_base_stage_learns_score_box_and_the_coarse_mask_of_both_stages(base):
    assert set(read_lines(base / "base" / "log.jsonl")[0]["losses"]) == {
        "total",
        "score",
        "box",
        "mask",
        "second_stage",
    }


def test_the_refinement_stage_starts_from_the_base_stage_and_leaves_it_as_it_is(base, tmp_path):
    weights = base / "base" / "tracker.safetensors"
    config = base / "refine.py"
    config.write_text(REFINE.format(weights=str(weights)))
    result = CliRunner().invoke(app, ["train", "tracker", str(config), "--work-dir", str(tmp_path)])
    assert result.exit_code == 0, result.output
    report = result.output.replace("\n", " ")
    assert "left as they were, not in the file: refine_model" in report
    assert "not used from the file: mask_model" in report
    first, second = load_file(weights), load_file(tmp_path / "tracker.safetensors")
    shared = {name for name in first.keys() & second.keys() if not name.endswith("num_batches_tracked")}
    assert {name.split(".")[0] for name in shared} == {"features", "rpn_model", "mask_model"}
    assert all(torch.equal(first[name], second[name]) for name in shared)
    assert set(read_lines(tmp_path / "log.jsonl")[0]["losses"]) == {"total", "refined", "second_stage"}


def test_a_backbone_can_be_all_that_a_training_starts_from(base, tmp_path):
    weights = base / "base" / "tracker.safetensors"
    options = [
        "init.type=backbone",
        f"init.path={weights}",
        "learning.backbone.layer3=1.0",
        "schedule.steps=1",
        "losses.second_stage=0",
    ]
    train_tracker(str(base / "base.py"), tmp_path, options=options)
    first, second = load_file(weights), load_file(tmp_path / "tracker.safetensors")
    same = {name for name in first if name.endswith("weight") and torch.equal(first[name], second[name])}
    assert "features.features.conv1.weight" in same
    assert "features.features.layer2.1.conv2.weight" in same
    assert not any(name.startswith(("rpn_model", "mask_model")) and "head.0" in name for name in same)


def test_a_start_of_an_unknown_type_is_named(base, tmp_path):
    with pytest.raises(ConfigError, match=r"init .*type is backbone or network"):
        train_tracker(str(base / "base.py"), tmp_path, options=["init.path=x.pth"])


def test_a_checkpoint_of_a_training_can_be_started_from_in_full_precision(base):
    network = SiamMask(ARCHITECTURES["small_no_refine"])
    report = load_network(network, base / "base" / "checkpoint.pt")
    assert not report.kept
    saved = torch.load(base / "base" / "checkpoint.pt", weights_only=True)["state_dict"]
    assert torch.equal(network.state_dict()["rpn_model.cls.head.3.bias"], saved["rpn_model.cls.head.3.bias"])


def test_weights_of_another_architecture_are_refused(base):
    with pytest.raises(
        WeightsError, match=r"features.features.conv1.weight is \[16, 3, 7, 7\], the network has \[64, "
    ):
        load_network(SiamMask(ARCHITECTURES["resnet50"]), base / "base" / "tracker.safetensors")


def test_weights_of_something_else_are_refused(tmp_path):
    save_file({"fc.weight": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"other.safetensors: holds no tensor of a SiamMask"):
        load_network(SiamMask(ARCHITECTURES["small"]), tmp_path / "other.safetensors")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return SiamMask(ARCHITECTURES["small"]).double().eval()


@torch.inference_mode()
def test_refinement_on_a_143_crop_takes_unpadded_windows_at_its_nine_positions(network):
    generator = torch.Generator().manual_seed(1)
    template = network.template(torch.rand(1, 3, 127, 127, generator=generator, dtype=torch.float64) * 255)
    search = network.search(torch.rand(1, 3, 143, 143, generator=generator, dtype=torch.float64) * 255)
    correlation = network.mask_correlation(template, search)
    assert correlation.shape[2:] == (3, 3)
    for y in range(3):
        for x in range(3):
            found = network.refine_at(search, correlation, torch.tensor([[0, y, x]]))
            expected = network.refine_model(
                search.conv1[:, :, 4 * y : 4 * y + 61, 4 * x : 4 * x + 61],
                search.layer1[:, :, 2 * y : 2 * y + 31, 2 * x : 2 * x + 31],
                search.layer2[:, :, y : y + 15, x : x + 15],
                correlation[:, :, y, x],
            )
            torch.testing.assert_close(found, expected)


@torch.inference_mode()
def test_refinement_at_the_one_position_of_a_127_crop_is_that_of_the_whole_crop(network):
    generator = torch.Generator().manual_seed(1)
    template = network.template(torch.rand(1, 3, 127, 127, generator=generator, dtype=torch.float64) * 255)
    search = network.search(torch.rand(1, 3, 127, 127, generator=generator, dtype=torch.float64) * 255)
    correlation = network.mask_correlation(template, search)
    found = network.refine_at(search, correlation, torch.tensor([[0, 0, 0]]))
    torch.testing.assert_close(found, network.refine_whole(search, correlation))


def preset(name):
    return parse(TrackerTraining, load_config(name), name)


def weights(settings):
    return settings.losses.score, settings.losses.box, settings.losses.mask


def test_every_packaged_config_is_valid():
    configs = Path(__file__).parents[2] / "configs"
    names = [path.stem for folder in ("trackers", "recipes") for path in (configs / folder).glob("siammask*.py")]
    assert {"siammask_small", "siammask_r50", "siammask_small_mixed"} < set(names)
    for name in names:
        settings = preset(name)
        assert settings.architecture in ARCHITECTURES, name


def test_the_base_stages_have_the_weights_and_rates_of_the_release_and_of_the_paper():
    release, paper = preset("siammask_r50_base"), preset("siammask_r50_base_paper")
    assert (weights(release), release.schedule.final_rate) == ((1.0, 1.2, 36.0), 2.5e-3)
    assert (weights(paper), paper.schedule.final_rate) == ((1.0, 1.0, 32.0), 5e-4)
    for settings in (release, paper):
        assert isinstance(settings.schedule, SgdLogarithmic)
        assert (settings.schedule.start_rate, settings.schedule.learning_rate) == (1e-3, 5e-3)
        assert (settings.schedule.momentum, settings.schedule.weight_decay) == (0.9, 1e-4)
        assert (settings.labels.positive_iou, settings.labels.negative_iou) == (0.6, 0.3)
        assert (settings.labels.positives, settings.labels.samples, settings.pairs.negatives) == (16, 64, 0.2)
        assert (settings.augment.exemplar_shift, settings.augment.search_shift) == (4, 64)
        assert (settings.augment.exemplar_scale, settings.augment.search_scale) == (0.05, 0.18)
        assert settings.learning.backbone == {"layer2": 0.5, "layer3": 0.5}
        assert settings.learning.backbone_rate == 0.1
        assert not ARCHITECTURES[settings.architecture].refine
        assert isinstance(settings.init, BackboneStart)


@pytest.mark.parametrize(
    "name",
    ["siammask_r50_refine", "siammask_r50_imagenet_refine", "siammask_r50_real_refine", "siammask_small_refine"],
)
def test_the_refinement_stages_learn_the_refined_mask_alone(name):
    settings = preset(name)
    assert weights(settings)[:2] == (0, 0)
    assert settings.losses.mask == 0 or not ARCHITECTURES[settings.architecture].coarse_mask
    assert settings.losses.refined > 0
    assert settings.pairs.negatives == 0
    assert settings.schedule.search_sides == ((0.0, 143),)
    assert settings.learning.backbone == {}
    assert set(settings.learning.frozen) == {"adjust", "rpn_model", "mask_model"}
    assert isinstance(settings.init, NetworkStart)


@pytest.mark.parametrize(
    "name",
    [
        "siammask_r50_real",
        "siammask_r50_real_refine",
        "siammask_small_real",
        "siammask_small_mixed",
        "siammask_lite0",
    ],
)
def test_the_configs_for_real_video_leave_out_the_sequences_that_they_are_tested_on(name):
    held_out = {"bmx-bumps", "car-turn", "elephant", "horsejump-low", "mallard-water", "rhino", "stroller", "train"}
    davis = [source for source in preset(name).sources if isinstance(source, DavisSource)]
    assert len(davis) == 1
    assert set(davis[0].without) == held_out


@pytest.mark.parametrize("name", ["siammask_r50_two_branch", "siammask_small_two_branch"])
def test_the_two_branch_variant_has_the_papers_loss(name):
    settings = preset(name)
    assert ARCHITECTURES[settings.architecture].branches == ("score", "mask")
    assert (settings.losses.similarity, settings.losses.mask, settings.losses.second_stage) == (1, 32, 0)
    assert settings.labels.radius == 16


def test_the_configs_of_the_bundled_weights_mean_what_they_meant():
    small = preset("siammask_small")
    assert (small.schedule.type, small.schedule.steps, small.schedule.batch) == ("adamw", 8600, 16)
    assert (small.schedule.learning_rate, small.schedule.final_rate, small.schedule.warm_up) == (1e-3, 1e-5, 150)
    assert small.learning.backbone == {"conv1": 0, "layer1": 0, "layer2": 0, "layer3": 0}
    assert (small.learning.backbone_rate, small.learning.frozen, small.init) == (1.0, (), None)
    r50 = preset("siammask_r50")
    assert (r50.schedule.type, r50.schedule.steps, r50.schedule.batch, r50.schedule.warm_up) == (
        "adamw",
        20000,
        64,
        500,
    )
    assert (r50.learning, r50.init) == (small.learning, None)
