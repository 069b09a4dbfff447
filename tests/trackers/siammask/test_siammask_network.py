import pytest
import torch
from siammask_scenes import random_network

from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES


@pytest.mark.parametrize("name", ["small", "small_no_refine", "small_two_branch", "lite0"])
def test_shapes(name):
    network = random_network(name)
    architecture = ARCHITECTURES[name]
    width, k = architecture.adjust_width, architecture.anchors
    with torch.no_grad():
        template = network.template(torch.rand(2, 3, 127, 127))
        search = network.search(torch.rand(2, 3, 255, 255))
        scores, offsets = network.score_and_locate(template, search)
        correlation = network.mask_correlation(template, search)
    assert template.shape == (2, width, 7, 7)
    assert [search.conv1.shape[-1], search.layer1.shape[-1], search.layer2.shape[-1]] == [125, 63, 31]
    assert search.adjusted.shape == (2, width, 31, 31)
    assert scores.shape == (2, 2 * k if architecture.scores_anchors else 1, 25, 25)
    assert (offsets is None) == ("box" not in architecture.branches)
    assert correlation.shape == (2, architecture.head_width, 25, 25)
    if architecture.coarse_mask:
        assert network.coarse_mask_logits(correlation).shape == (2, 3969, 25, 25)
    else:
        with pytest.raises(ValueError, match="coarse"):
            network.coarse_mask_logits(correlation)


@pytest.mark.parametrize("name", ["small", "lite0"])
def test_a_127_crop_gives_the_maps_of_one_window(name):
    network = random_network(name)
    with torch.no_grad():
        crops = 255 * torch.rand(2, 3, 127, 127)
        search = network.search(crops)
        template = network.template(crops)
        correlation = network.mask_correlation(template, search)
    assert [search.conv1.shape[-1], search.layer1.shape[-1], search.layer2.shape[-1]] == [61, 31, 15]
    assert torch.equal(search.adjusted, template)
    assert correlation.shape[-2:] == (1, 1)
    assert network.refine_whole(search, correlation).shape == (2, 127, 127)


def test_refinement_is_trained_at_many_positions_at_once():
    network = random_network("small")
    template = network.template(255 * torch.rand(2, 3, 127, 127))
    search = network.search(255 * torch.rand(2, 3, 255, 255))
    correlation = network.mask_correlation(template, search)
    positions = torch.tensor([[0, 0, 0], [1, 24, 24], [1, 3, 20], [0, 12, 12]])
    together = network.refine_at(search, correlation, positions)
    for logits, position in zip(together, positions, strict=True):
        alone = network.refine_at(search, correlation, position[None])[0]
        torch.testing.assert_close(logits, alone, rtol=1e-4, atol=1e-4)
    together.mean().backward()
    used = {name.split(".")[0] for name, value in network.named_parameters() if value.grad is not None}
    assert used == {"features", "mask_model", "refine_model"}


def test_the_inner_refinement_sees_no_padding():
    """At the centre a 255 crop's windows are those of its own inner 127 crop, borders of the trunk apart."""
    network = random_network("small")
    with torch.no_grad():
        crops = 255 * torch.rand(1, 3, 255, 255)
        outer = network.search(crops)
        inner = network.search(crops[..., 64:191, 64:191])
    torch.testing.assert_close(outer.conv1[..., 32:93, 32:93], inner.conv1)
    torch.testing.assert_close(outer.layer1[..., 20:43, 20:43], inner.layer1[..., 4:27, 4:27])


@pytest.mark.parametrize("name", ["small", "small_two_branch", "lite0"])
def test_the_correlation_at_one_position_is_that_of_all(name):
    network = random_network(name)
    positions = torch.tensor([[0, 0], [24, 24], [3, 20]])
    with torch.no_grad():
        template, search = (
            network.template(255 * torch.rand(3, 3, 127, 127)),
            network.search(255 * torch.rand(3, 3, 255, 255)),
        )
        everywhere = network.mask_correlation(template, search)
        found = network.mask_correlation_at(template, search, positions)
    for place, (y, x) in enumerate(positions.tolist()):
        torch.testing.assert_close(found[place, :, 0, 0], everywhere[place, :, y, x], rtol=1e-4, atol=1e-4)
