"""What learns when: frozen parts keep every bit, released ones begin at their step."""

import copy

import pytest
import torch
from tracker_scenes import random_batch, settings_of

from vis_pipeline.errors import ConfigError
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.training.tracker.learner import Learner
from vis_pipeline.training.tracker.norm import batch_norms
from vis_pipeline.training.tracker.parts import group_rates, network_parts, parameter_groups

CPU = torch.device("cpu")
TRUNK = "features.features."


def changes(settings, side=175):
    """The prefixes of the tensors that change, step by step."""
    learner = Learner(settings, CPU)
    batch = random_batch(side)
    found = []
    for step in range(settings.schedule.steps):
        learner.enter(step, lambda number: batch)
        before = copy.deepcopy(learner.network.state_dict())
        learner.learn(step, batch)
        after = learner.network.state_dict()
        changed = {name for name in before if not torch.equal(before[name], after[name])}
        found.append(changed)
    return found


def prefixes(changed):
    short = {name.removeprefix(TRUNK) if name.startswith(TRUNK) else name for name in changed}
    return {name.split(".")[0] if not name.startswith("features.") else "adjust" for name in short}


@pytest.mark.parametrize(
    "schedule", [{"type": "adamw", "warm_up": 0}, {"type": "sgd", "epochs": 4, "warm_up_epochs": 1}]
)
def test_layers_learn_from_their_share_of_the_steps_on_and_frozen_parts_never(schedule):
    settings = settings_of(
        schedule={"steps": 4, "freeze_norm_at": 1.0, **schedule},
        learning={"backbone": {"layer2": 0.5, "layer3": 0.25}, "frozen": ["adjust", "mask_model"]},
    )
    heads = {"rpn_model", "refine_model"}
    steps = [prefixes(changed) for changed in changes(settings)]
    assert steps == [heads, heads | {"layer3"}, heads | {"layer2", "layer3"}, heads | {"layer2", "layer3"}]


def test_in_the_refinement_stage_nothing_but_the_refinement_changes_statistics_included():
    settings = settings_of(
        schedule={"steps": 2, "freeze_norm_at": 0.5, "search_sides": [(0.0, 143)], "warm_up": 0},
        losses={"score": 0, "box": 0},
        learning={"backbone": {}, "frozen": ["adjust", "rpn_model", "mask_model"]},
    )
    assert [prefixes(changed) for changed in changes(settings, side=143)] == [{"refine_model"}] * 2


@pytest.mark.parametrize("kernels", ["all", "pointwise"])
def test_depthwise_kernels_stay_where_only_pointwise_ones_learn(kernels):
    settings = settings_of(
        architecture="lite0",
        schedule={"steps": 1, "warm_up": 0, "norm_batches": 1},
        learning={"backbone": {"layer3": 0.0}, "backbone_statistics": "measured", "backbone_kernels": kernels},
    )
    (changed,) = changes(settings)
    trunk = SiamMask(ARCHITECTURES["lite0"]).features.features
    level = {name for name, _ in trunk.named_parameters() if name.startswith("levels.3.")}
    depthwise = {name for name in level if name.endswith("depthwise.conv.weight")}
    assert len(depthwise) == 6
    expected = level if kernels == "all" else level - depthwise
    assert {name.removeprefix(TRUNK) for name in changed if name.startswith(TRUNK)} == expected


def test_statistics_follow_until_they_are_measured_and_then_stay():
    settings = settings_of(schedule={"steps": 4, "freeze_norm_at": 0.5, "norm_batches": 1, "warm_up": 0})
    follows = [any("running_mean" in name for name in changed) for changed in changes(settings)]
    assert follows == [True, True, False, False]


def test_measured_statistics_of_the_backbone_are_those_of_the_batches_and_stay_while_it_learns():
    settings = settings_of(
        schedule={"steps": 2, "freeze_norm_at": 1.0, "norm_batches": 2, "warm_up": 0},
        learning={"backbone": {"layer3": 0.0}, "backbone_statistics": "measured"},
        losses={"second_stage": 0},
    )
    learner = Learner(settings, CPU)
    batches = [random_batch(175, seed=seed) for seed in range(2)]
    trunk = learner.network.features.features
    # conv1 sees exemplars and search crops of both batches: four passes, whose means and variances are averaged.
    passes = [trunk.conv1(crops.float()) for batch in batches for crops in (batch.exemplars, batch.searches)]
    means = torch.stack([values.mean((0, 2, 3)) for values in passes]).mean(0)
    variances = torch.stack([values.var((0, 2, 3)) for values in passes]).mean(0)
    learner.enter(0, lambda number: batches[number])
    torch.testing.assert_close(trunk.bn1.running_mean, means, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(trunk.bn1.running_var, variances, rtol=1e-3, atol=1e-2)
    measured = {name: value.clone() for name, value in trunk.state_dict().items() if "running" in name}
    learner.learn(0, batches[0])
    learner.enter(1, lambda number: batches[number])
    learner.learn(1, batches[1])
    assert all(torch.equal(value, trunk.state_dict()[name]) for name, value in measured.items())


def test_statistics_of_a_branch_without_a_loss_outlast_the_measuring_of_the_others():
    settings = settings_of(
        schedule={"steps": 2, "freeze_norm_at": 0.5, "norm_batches": 1, "warm_up": 0, "search_sides": [(0.0, 143)]},
        losses={"score": 0, "box": 0},
        learning={"backbone": {}, "frozen": ["adjust"]},
    )
    learner = Learner(settings, CPU)
    for part in (learner.network.rpn_model, learner.network.mask_model):
        for norm in batch_norms(part):
            norm.running_mean.fill_(3.0)
            norm.running_var.fill_(2.0)
    batch = random_batch(143)
    for step in range(2):
        learner.enter(step, lambda number: batch)
        learner.learn(step, batch)
    for norm in batch_norms(learner.network.rpn_model):
        assert (norm.running_mean == 3).all() and (norm.running_var == 2).all()
    for norm in batch_norms(learner.network.mask_model):
        assert not (norm.running_mean == 3).any()


def test_every_parameter_is_in_one_group_and_only_kernels_decay():
    network = SiamMask(ARCHITECTURES["small"])
    settings = settings_of(learning={"backbone_rate": 0.1})
    groups = parameter_groups(network_parts(network, settings.learning, settings.schedule), 0.01)
    found = [parameter for group in groups for parameter in group["params"]]
    assert sorted(map(id, found)) == sorted(map(id, network.parameters()))
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0, 0.01, 0.0]
    trunk = set(map(id, network.features.features.parameters()))
    assert [all(id(value) in trunk for value in group["params"]) for group in groups] == [True, True, False, False]
    assert all(value.ndim > 1 for group in groups[::2] for value in group["params"])
    assert group_rates(1e-2, settings.learning) == pytest.approx((1e-3, 1e-3, 1e-2, 1e-2))


def test_the_two_branch_variant_learns():
    settings = settings_of(
        architecture="small_two_branch",
        schedule={"steps": 16, "warm_up": 2, "learning_rate": 2e-3, "freeze_norm_at": 1.0},
        losses={"mask": 32.0, "second_stage": 0.0},
    )
    learner = Learner(settings, CPU)
    batch = random_batch(175, count=4)
    # What there is to learn: bright targets in dark surroundings, and none in the negative pairs.
    batch.searches[:] //= 4
    batch.searches[::2, :, 57:117, 62:112] += 160
    batch.search_masks[:] = False
    batch.search_masks[::2, 32 + 57 : 32 + 117, 32 + 62 : 32 + 112] = True
    outcomes = []
    for step in range(16):
        learner.enter(step, lambda number: batch)
        outcomes.append(learner.learn(step, batch))
    assert outcomes[0].names == ("similarity", "mask")
    first, last = outcomes[0].values, outcomes[-1].values
    assert last[1] < 0.5 * first[1]
    assert last[2] < 0.8 * first[2]
    # Table 2's total (eq. 11): L = 32 L_mask + L_sim.
    assert last[0].item() == pytest.approx((last[1] + 32 * last[2]).item(), rel=1e-5)


def test_scores_on_the_crops_of_the_refinement_stage_are_refused():
    settings = settings_of(schedule={"steps": 2, "search_sides": [(0.0, 143)]}, losses={"box": 0})
    with pytest.raises(ConfigError, match=r"losses.score: not to be learned on search crops of 143"):
        Learner(settings, CPU)
