"""Depthwise convolutions whose gradient is quick on a CPU, too."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Pair = tuple[int, ...]


def depthwise_conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: Pair, dilation: Pair, groups: int
) -> Tensor:
    """`torch.nn.functional.conv2d` of one filter a channel, the same in every number but for rounding.

    PyTorch's CPU kernels for the gradient of a dilated one take 12 to 30 times as long as those for its output. Where
    the filters themselves do not learn, the gradient of a convolution that keeps the size is such a convolution too,
    with its filters turned round, and is taken so.
    """
    reach = tuple((side - 1) * step for side, step in zip(weight.shape[2:], dilation, strict=True))
    keeps_size = stride == 1 and reach == tuple(2 * pad for pad in padding)
    learns = torch.is_grad_enabled() and x.requires_grad and not weight.requires_grad
    if not (learns and keeps_size and bias is None and x.is_cpu):
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups)
    if torch.is_autocast_enabled("cpu"):
        kind = torch.get_autocast_dtype("cpu")
        x, weight = x.to(kind), weight.to(kind)
    out: Tensor = _FixedFilters.apply(x, weight, padding, dilation)  # type: ignore[no-untyped-call]
    return out


class _FixedFilters(torch.autograd.Function):
    """A depthwise convolution of stride 1 that keeps the size, differentiable in its input alone."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, padding: Pair, dilation: Pair) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.padding, ctx.dilation = padding, dilation
        return F.conv2d(x, weight, None, 1, padding, dilation, len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (weight,) = ctx.saved_tensors
        turned = weight.flip(2, 3)
        return F.conv2d(gradients[0], turned, None, 1, ctx.padding, ctx.dilation, len(weight)), None, None, None
