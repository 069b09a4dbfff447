"""Networks on a single crop, with the numbers that the crop has in a batch.

On the CPU PyTorch leaves some convolutions of a single small image to an implementation of its own, while those of a
batch go to oneDNN, whose last bits differ. Whatever a target's crop shares its batch with must change nothing: here the
same is asked of oneDNN.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from vis_pipeline.settings.same_numbers import by_onednn, pair

# Image, weight, bias, stride, padding, dilation, groups, as layers give them; with fewer it is no layer's.
_ALL_ARGUMENTS = 7


def as_in_a_batch(crops: Tensor) -> AbstractContextManager[Any]:
    """In this context a network computes for one crop [1, ...] what it does in a batch (on the CPU one of 2 to 15)."""
    alone = len(crops) == 1 and crops.device.type == "cpu" and torch.backends.mkldnn.enabled
    available = alone and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return _AskingOneDnn() if available else nullcontext()


class _AskingOneDnn(TorchFunctionMode):  # type: ignore[misc]
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is torch.conv2d and len(args) == _ALL_ARGUMENTS and _in_batches_by_onednn(*args):
            return by_onednn(*args)
        return func(*args, **(kwargs or {}))


def _in_batches_by_onednn(
    image: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: int | tuple[int, ...],
    padding: Any,
    dilation: int | tuple[int, ...],
    groups: int,
) -> bool:
    """Whether PyTorch has oneDNN convolve a batch of such images; with one thread it keeps plain 1x1 ones to itself."""
    plain = weight.shape[2:] == (1, 1) and pair(stride) == pair(dilation) == (1, 1)
    return image.dtype == torch.float32 and groups == 1 and (torch.get_num_threads() > 1 or not plain)
