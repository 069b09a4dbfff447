"""A fused convolution gives what it and the steps after it give one by one."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vis_pipeline.backbones.fused_conv import (
    can_fuse,
    convolved,
    convolved_relu6,
    normalised_relu,
    normalised_sum_relu,
)

LAYERS = {
    "wide": nn.Conv2d(24, 48, 1),
    "dense": nn.Conv2d(24, 16, 3, padding=1),
    "strided": nn.Conv2d(24, 16, 3, stride=2),
    "dilated": nn.Conv2d(24, 24, 5, padding=4, dilation=2, groups=24),
}
FOLDED = nn.Identity()


def prepared(name: str, count: int, dtype: torch.dtype) -> tuple[nn.Conv2d, Tensor]:
    torch.manual_seed(0)
    layer = LAYERS[name].to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return layer, (8 * torch.randn(count, 24, 33, 33)).to(dtype=dtype, memory_format=torch.channels_last)


@pytest.mark.skipif(not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="the CPU has no bfloat16 instructions")
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("count", [1, 4])
def test_in_bfloat16_the_bits_are_those_of_two_steps(name: str, count: int) -> None:
    layer, x = prepared(name, count, torch.bfloat16)
    with torch.inference_mode():
        assert can_fuse(x, layer)
        plain = layer(x)
        assert torch.equal(convolved(x, layer, layer.padding), plain)
        assert torch.equal(convolved_relu6(x, layer, layer.padding), F.relu6(plain))
    assert float(plain.max()) > 6


@pytest.mark.parametrize("name", ["wide", "dense", "strided"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_blocks_end_is_the_relu_of_the_sum(name: str, dtype: torch.dtype) -> None:
    layer, x = prepared(name, 3, dtype)
    with torch.inference_mode():
        plain = layer(x)
        residual = torch.randn_like(plain)
        kept = residual.clone()
        near = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 2e-2, "atol": 2e-2}
        torch.testing.assert_close(normalised_relu(x, layer, FOLDED), F.relu(plain), **near)
        torch.testing.assert_close(normalised_sum_relu(x, layer, FOLDED, residual), F.relu(plain + residual), **near)
    assert torch.equal(residual, kept)


def test_while_learning_gradients_flow_through_norm_and_residual() -> None:
    layer, norm = LAYERS["dense"].float(), nn.BatchNorm2d(16)
    x, residual = torch.randn(2, 24, 9, 9, requires_grad=True), torch.randn(2, 16, 9, 9, requires_grad=True)
    normalised_sum_relu(normalised_relu(x, nn.Conv2d(24, 24, 1), FOLDED), layer, norm, residual).sum().backward()
    assert x.grad is not None and residual.grad is not None and norm.weight.grad is not None


def test_other_types_other_devices_and_what_learns_are_left_alone() -> None:
    layer, x = nn.Conv2d(3, 8, 3), torch.zeros(1, 3, 9, 9)
    assert not can_fuse(x, layer)
    with torch.inference_mode():
        assert can_fuse(x, layer) == torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        assert not can_fuse(x.double(), layer) and not can_fuse(x.to("meta"), layer)
        with torch.autocast("cpu", torch.bfloat16):
            assert not can_fuse(x, layer)
