"""How images reach a network, and moving a first convolution from one way to another without changing its output."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Normalisation:
    """The network gets (x - mean) / std of images x in 0..255; `mean` and `std` are in the order of its channels."""

    order: Literal["bgr", "rgb"]
    mean: Triple
    std: Triple

    @classmethod
    def of_preprocessor(cls, config: Mapping[str, Any]) -> "Normalisation":
        """What the `data_preprocessor` of an mmdet config does with BGR images."""
        mean, std = config.get("mean") or (0.0,), config.get("std") or (1.0,)
        swapped = config.get("bgr_to_rgb", False) or config.get("rgb_to_bgr", False)
        return cls("rgb" if swapped else "bgr", _triple(mean), _triple(std))

    @property
    def zero_point(self) -> Tensor:
        """The colour that the network gets as zero, float64 [3], BGR in 0..255."""
        return self._as_bgr(self.mean)

    @property
    def spread(self) -> Tensor:
        """`std` of the channels, float64 [3], BGR."""
        return self._as_bgr(self.std)

    def as_mmdet(self) -> str:
        """The entries of a `data_preprocessor` that normalise so."""
        return f"mean={list(self.mean)}, std={list(self.std)}, bgr_to_rgb={self.order == 'rgb'}"

    def __str__(self) -> str:
        if self == RAW_BGR:
            return "BGR 0..255"
        divided = "" if set(self.std) == {1.0} else f" over {_numbers(self.std)}"
        return f"{self.order.upper()} minus {_numbers(self.mean)}{divided}"

    def _as_bgr(self, values: Triple) -> Tensor:
        given = torch.tensor(values, dtype=torch.float64)
        return given if self.order == "bgr" else given.flip(0)


RAW_BGR = Normalisation("bgr", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
TORCHVISION = Normalisation("rgb", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
CAFFE = Normalisation("bgr", (103.939, 116.779, 123.68), (1.0, 1.0, 1.0))


def refit(
    kernel: Tensor, running_mean: Tensor, learned_with: Normalisation, given: Normalisation
) -> tuple[Tensor, Tensor]:
    """A first kernel [O, 3, k, k] and its batch norm's mean [O] for images `given` in another way than `learned_with`.

    Returns both in float32. The batch norm's output stays the same wherever the kernel does not reach into padding.
    """
    bgr = kernel.double() if learned_with.order == "bgr" else kernel.double().flip(1)
    shift = (given.zero_point - learned_with.zero_point) / learned_with.spread
    mean = running_mean.double() - torch.einsum("oikl,i->o", bgr, shift)
    bgr = bgr * (given.spread / learned_with.spread)[:, None, None]
    return (bgr if given.order == "bgr" else bgr.flip(1)).float(), mean.float()


def _triple(values: Any) -> Triple:
    first, *rest = (float(value) for value in values)
    second, third = rest or (first, first)
    return first, second, third


def _numbers(values: Triple) -> str:
    return "/".join(f"{value:g}" for value in (values[:1] if len(set(values)) == 1 else values))
