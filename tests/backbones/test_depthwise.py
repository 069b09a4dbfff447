"""The quick gradient of depthwise convolutions against PyTorch's own."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vis_pipeline.backbones.depthwise import depthwise_conv2d

CASES = {
    "3x3": (3, 1, 1, 1),
    "5x5": (5, 1, 2, 1),
    "3x3 dilated": (3, 1, 2, 2),
    "5x5 dilated": (5, 1, 4, 2),
    "strided": (3, 2, 1, 1),
    "shrinking": (5, 1, 1, 1),
}
"""Kernel, stride, padding, dilation."""


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, dtype=torch.double, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("learns", [True, False])
def test_outputs_and_gradients_are_those_of_a_plain_convolution(case: tuple[int, ...], learns: bool) -> None:
    kernel, stride, padding, dilation = case
    x, weight = noise(2, 6, 11, 14).requires_grad_(), noise(6, 1, kernel, kernel, seed=2).requires_grad_()
    expected = F.conv2d(x, weight, None, stride, padding, dilation, 6)
    outer = noise(*expected.shape, seed=3)
    by_input, by_weight = torch.autograd.grad(expected, (x, weight), outer)
    given = weight.detach().requires_grad_(learns)
    found = depthwise_conv2d(x, given, None, stride, (padding, padding), (dilation, dilation), 6)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found, x, outer, retain_graph=True)[0], by_input)
    if learns:
        torch.testing.assert_close(torch.autograd.grad(found, given, outer)[0], by_weight)


def test_fixed_filters_take_the_quick_way() -> None:
    found = depthwise_conv2d(noise(1, 6, 9, 9).requires_grad_(), noise(6, 1, 3, 3), None, 1, (2, 2), (2, 2), 6)
    assert "FixedFilters" in str(found.grad_fn)


def test_autocast_gives_half_precision_there_too() -> None:
    weight = noise(6, 1, 3, 3).float()
    gradients = []
    for learns in (False, True):
        x = noise(1, 6, 9, 9, seed=2).float().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            found = depthwise_conv2d(x, weight.clone().requires_grad_(learns), None, 1, (2, 2), (2, 2), 6)
        assert found.dtype == torch.bfloat16
        found.float().square().sum().backward()
        gradients.append(x.grad)
    torch.testing.assert_close(*gradients, rtol=2e-2, atol=2e-2)
