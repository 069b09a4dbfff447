"""Convolutions and what follows them in one pass over memory, where oneDNN computes on a CPU.

Two of those save time. PyTorch's ReLU6 in bfloat16 takes as long as many a convolution, and the result is the same to
the last bit: 0 and 6 are bfloat16 numbers, so that it is all one whether to cut off before or after rounding. At the
end of a residual block a sum and a ReLU are two passes over the largest maps of a network; in bfloat16 the sum is then
rounded once, not twice.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def can_fuse(x: Tensor, convolution: nn.Conv2d) -> bool:
    """Whether the functions below can take a layer's place on this input: when predicting, on a CPU with oneDNN."""
    known = x.dtype == torch.float32 or (x.dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return bool(
        x.is_cpu
        and known
        and x.dtype == convolution.weight.dtype
        and not torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and torch.backends.mkldnn.enabled
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    )


def convolved(x: Tensor, layer: nn.Conv2d, padding: tuple[int, ...]) -> Tensor:
    """A layer's convolution with other padding."""
    return _convolved(x, layer, padding, "none", [])


def convolved_relu6(x: Tensor, layer: nn.Conv2d, padding: tuple[int, ...]) -> Tensor:
    """ReLU6 of a layer's convolution with other padding."""
    return _convolved(x, layer, padding, "hardtanh", [0.0, 6.0])


def normalised_relu(x: Tensor, layer: nn.Conv2d, norm: nn.Module) -> Tensor:
    """ReLU of a layer's normalised convolution; in one pass where the norm has been folded."""
    if isinstance(norm, nn.Identity) and can_fuse(x, layer):
        return _convolved(x, layer, _padding(layer), "relu", [])
    return F.relu(norm(layer(x)), inplace=True)


def normalised_sum_relu(x: Tensor, layer: nn.Conv2d, norm: nn.Module, residual: Tensor) -> Tensor:
    """ReLU of a layer's normalised convolution and a residual together; in one pass where the norm has been folded."""
    if isinstance(norm, nn.Identity) and can_fuse(x, layer):
        geometry = (_padding(layer), layer.stride, layer.dilation, layer.groups)
        found: Tensor = torch.ops.mkldnn._convolution_pointwise.binary(
            x, residual, layer.weight, layer.bias, *geometry, "add", 1.0, "relu", [], None
        )
        return found
    return F.relu(norm(layer(x)) + residual, inplace=True)


def _convolved(x: Tensor, layer: nn.Conv2d, padding: tuple[int, ...], name: str, numbers: list[float]) -> Tensor:
    """With an activation, which oneDNN knows by this name and takes these numbers."""
    geometry = (padding, layer.stride, layer.dilation, layer.groups)
    found: Tensor = torch.ops.mkldnn._convolution_pointwise(x, layer.weight, layer.bias, *geometry, name, numbers, "")
    return found


def _padding(layer: nn.Conv2d) -> tuple[int, ...]:
    assert not isinstance(layer.padding, str)
    return layer.padding
