"""Networks on the CPU with the same numbers, to the bit, whatever the number of threads and the size of the batch.

Three kinds of functions choose their implementation, or the order in which they sum, by both. Convolutions and linear
layers are asked of oneDNN, whose sums over channels are in one order (PyTorch leaves small convolutions and, with one
thread, plain 1x1 ones to an implementation of its own, and linear layers to MKL); `interpolate` runs in one thread.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

# mmdet's own, which is told of the code from where it is called.
_REMARK = "To copy construct from a tensor"
warnings.filterwarnings("ignore", message=_REMARK, module=__name__.replace(".", r"\."))


def same_numbers(device: torch.device) -> AbstractContextManager[Any]:
    """In this context networks give the same numbers however they are spread; a GPU's do as they are."""
    onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return _SameNumbers() if device.type == "cpu" and onednn else nullcontext()


class _SameNumbers(TorchFunctionMode):  # type: ignore[misc]
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.conv2d and _plain(args):
            return _convolved(*args, **kwargs)
        if func is functional.linear and _plain(args):
            return _linear(*args, **kwargs)
        if func is functional.interpolate and _plain(args):
            with _one_thread():
                return func(*args, **kwargs)
        return func(*args, **kwargs)


def _plain(args: tuple[Any, ...]) -> bool:
    """Whether the first argument is one that oneDNN takes: float32, on the CPU, not empty."""
    first = args[0] if args else None
    if not isinstance(first, Tensor) or first.dtype != torch.float32:
        return False
    return first.device.type == "cpu" and bool(first.numel())


def _convolved(
    image: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, ...] = 1,
    padding: int | tuple[int, ...] | str = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
) -> Tensor:
    if isinstance(padding, str) or image.dim() != 4:
        return torch.conv2d(image, weight, bias, stride, padding, dilation, groups)
    return by_onednn(image, weight, bias, stride, padding, dilation, groups)


def by_onednn(
    image: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: int | tuple[int, ...],
    padding: int | tuple[int, ...],
    dilation: int | tuple[int, ...],
    groups: int,
) -> Tensor:
    """A convolution as torch.conv2d's, float32 [N, C, H, W] on the CPU, by oneDNN however small it is."""
    return torch.mkldnn_convolution(image, weight, bias, pair(padding), pair(stride), pair(dilation), groups)


def _linear(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """As a 1x1 convolution of images of one pixel, a row each."""
    pixels = rows.reshape(-1, rows.shape[-1], 1, 1)
    found = torch.mkldnn_convolution(pixels, weight[:, :, None, None], bias, (0, 0), (1, 1), (1, 1), 1)
    return found.reshape(*rows.shape[:-1], len(weight))


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    if threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def pair(value: int | tuple[int, ...]) -> tuple[int, ...]:
    """A length for each axis, of a layer that gives one or both."""
    return (value, value) if isinstance(value, int) else tuple(value)
