"""EfficientNet-Lite0 as a trunk: inverted residuals with ReLU6 and no squeeze-and-excitation, 0.4 GMAC at 224x224.

The network of Tan and Le (EfficientNet, section 4) as Google's Lite release has it: the stem keeps 32 channels, every
convolution pads like TensorFlow's "SAME" (a stride-2 convolution over an even side pads one pixel more after than
before), batch norms have an epsilon of 0.001. Published weights come in through
:mod:`vis_pipeline.weights.efficientnet_lite`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vis_pipeline.backbones.depthwise import depthwise_conv2d
from vis_pipeline.backbones.fused_conv import can_fuse, convolved, convolved_relu6

STEM_WIDTH = 32
WIDTHS = (16, 24, 40, 112, 320)
"""Channels of the features of levels 1 to 5, whose strides are 2, 4, 8, 16 and 32."""

_EPSILON = 1e-3
_MOMENTUM = 0.01


@dataclass(frozen=True)
class _Row:
    """Blocks of one kind: how many, their kernel and channels, the stride of the first, how far they widen inside."""

    blocks: int
    kernel: int
    width: int
    stride: int
    expansion: int = 6


_LEVELS = (
    (_Row(1, 3, 16, 1, expansion=1),),
    (_Row(2, 3, 24, 2),),
    (_Row(2, 5, 40, 2),),
    (_Row(3, 3, 80, 2), _Row(3, 5, 112, 1)),
    (_Row(4, 5, 192, 2), _Row(1, 3, 320, 1)),
)


class EfficientNetLite0(nn.Module):
    """Images to the features of some levels: level l has stride 2^l and `WIDTHS[l - 1]` channels.

    Images are float [N, 3, H, W], RGB, (x - 127) / 128 of 0..255 as published; other ways are put into the stem when
    the weights are loaded. A side of n pixels becomes ceil(n / 2) at each stride. Output has the memory format that
    the input and the weights bring: with both channels-last, so are the features.

    Invariant: in training mode too, frozen levels have batch norms in evaluation mode and parameters without gradients.

    Args:
        levels: whose features `forward` returns, ascending; blocks after the last are not built.
        output_stride: 8, 16 or 32; levels beyond it keep its resolution and dilate their kernels instead.
        frozen_levels: the first so many levels (the stem belongs to level 1) do not learn.
        frozen_depthwise: the depthwise convolutions do not learn, whose gradients cost CPUs more than all others.
        frozen_norms: all batch norms keep their statistics; their scale and shift still learn above frozen levels.
        padding_value: what the stem pads with, the mid grey 127 as images come: 0 for normalised ones, 127 for plain.
        strided_padding: pixels that the convolutions which stride, the stem's first, pad on every side, whatever the
            image's size; of a negative number so many are cut off. None: like "SAME".

    Raises:
        ValueError: levels are not ascending within 1 to 5, the output stride is another, or `strided_padding` has not
            one number for each convolution that strides.
    """

    def __init__(
        self,
        levels: Sequence[int] = (2, 3, 4, 5),
        output_stride: int = 32,
        frozen_levels: int = 0,
        frozen_depthwise: bool = False,
        frozen_norms: bool = False,
        padding_value: float = 0.0,
        strided_padding: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if not levels or list(levels) != sorted(set(levels) & set(range(1, 6))):
            raise ValueError(f"levels must ascend within 1 to 5, not {list(levels)}")
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride must be 8, 16 or 32, not {output_stride}")
        self.output_levels = tuple(levels)
        self.frozen_levels = frozen_levels
        self.frozen_norms = frozen_norms
        self.stem = _ConvNorm(3, STEM_WIDTH, 3, stride=2, padding_value=padding_value)
        self.levels = nn.ModuleList(_levels(max(levels), output_stride))
        if strided_padding is not None:
            strided = [part for part in self.modules() if isinstance(part, _ConvNorm) and part.conv.stride[0] > 1]
            if len(strided) != len(strided_padding):
                raise ValueError(f"strided_padding needs {len(strided)} numbers, not {list(strided_padding)}")
            for convolution, padding in zip(strided, strided_padding, strict=True):
                convolution.fixed_padding = padding
        for module in self._frozen_modules():
            module.requires_grad_(False)
        if frozen_depthwise:
            for module in self.modules():
                if isinstance(module, nn.Conv2d) and module.groups > 1:
                    module.requires_grad_(False)
        self.train()

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of what `forward` returns."""
        return tuple(WIDTHS[level - 1] for level in self.output_levels)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Features [N, C_l, H_l, W_l] of the chosen levels, finest first."""
        found = []
        x = self.stem(images)
        for number, level in enumerate(self.levels, start=1):
            x = level(x)
            if number in self.output_levels:
                found.append(x)
        return tuple(found)

    def train(self, mode: bool = True) -> "EfficientNetLite0":
        """Training or evaluation mode, but for what is frozen."""
        super().train(mode)
        for module in [self] if self.frozen_norms else self._frozen_modules():
            for part in module.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.eval()
        return self

    @torch.no_grad()
    def fold_norms(self) -> "EfficientNetLite0":
        """Put the batch norms, as they are when predicting, into the convolutions before them, in place.

        The features stay the same to rounding, and the names of the tensors change: load weights first. In training
        the convolutions learn as before, the shifts that were the norms' do not.
        """
        for module in self.modules():
            if isinstance(module, _ConvNorm):
                module.fold()
        return self

    def _frozen_modules(self) -> list[nn.Module]:
        return [self.stem, *self.levels[: self.frozen_levels]] if self.frozen_levels else []


class _ConvNorm(nn.Module):
    """A convolution with "SAME" padding and a batch norm."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        padding_value: float = 0.0,
        activation: bool = True,
    ) -> None:
        super().__init__()
        self._reach = (kernel - 1) * dilation
        self.padding_value = padding_value
        self.fixed_padding: int | None = None
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, 0, dilation, groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs, eps=_EPSILON, momentum=_MOMENTUM)
        self.activation: nn.Module = nn.ReLU6(inplace=True) if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x, padding, beyond = self._padded(x)
        # In float32 two steps take no longer.
        if isinstance(self.norm, nn.Identity) and x.dtype == torch.bfloat16 and can_fuse(x, self.conv):
            fused = convolved_relu6 if isinstance(self.activation, nn.ReLU6) else convolved
            return _without(fused(x, self.conv, padding), beyond)
        out: Tensor = self.activation(self.norm(_without(self._convolved(x, padding), beyond)))
        return out

    def _learns(self, x: Tensor) -> bool:
        return torch.is_grad_enabled() and (x.requires_grad or self.conv.weight.requires_grad)

    def _padded(self, x: Tensor) -> tuple[Tensor, tuple[int, int], tuple[int, int]]:
        """What is to be convolved, with which padding, and the result's first rows and columns that are too many."""
        (top, bottom), (left, right) = (self._padding(side) for side in x.shape[2:])
        if self.padding_value or top < 0:
            x = F.pad(x, (left, right, top, bottom), value=self.padding_value)
            top = bottom = left = right = 0
        # The convolution pads alike on both sides. Where one more is needed after, it starts a stride earlier, and the
        # first row or column of what comes out is left out: a copy of the padded input would take longer.
        stride = self.conv.stride[0]
        early = (stride if bottom > top else 0, stride if right > left else 0)
        return x, (top + early[0], left + early[1]), (early[0] // stride, early[1] // stride)

    def _convolved(self, x: Tensor, padding: tuple[int, int]) -> Tensor:
        kernel = self.conv
        if kernel.groups == 1:
            return F.conv2d(x, kernel.weight, kernel.bias, kernel.stride, padding, kernel.dilation)
        geometry = (kernel.stride[0], padding, kernel.dilation, kernel.groups)
        # Under autocast too: on CPUs the backward pass of a depthwise convolution is slower in bfloat16.
        if x.is_cpu and self._learns(x) and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                return depthwise_conv2d(x.float(), kernel.weight, kernel.bias, *geometry)
        return depthwise_conv2d(x, kernel.weight, kernel.bias, *geometry)

    def fold(self) -> None:
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv.eval(), self.norm.eval())
            self.norm = nn.Identity()

    def _padding(self, side: int) -> tuple[int, int]:
        """Pixels before and after: as set, or so that `side` pixels become ceil(side / stride)."""
        if self.fixed_padding is not None:
            return self.fixed_padding, self.fixed_padding
        stride = self.conv.stride[0]
        total = max((-(-side // stride) - 1) * stride + self._reach + 1 - side, 0)
        return total // 2, total - total // 2


def _without(maps: Tensor, beyond: tuple[int, int]) -> Tensor:
    """Maps without their first rows and columns."""
    return maps[:, :, beyond[0] :, beyond[1] :] if any(beyond) else maps


class _Block(nn.Module):
    """An inverted residual: widen, filter each channel, narrow; added to its input where the shapes allow."""

    def __init__(self, inputs: int, row: _Row, stride: int, dilation: int) -> None:
        super().__init__()
        inner = inputs * row.expansion
        self.expand: nn.Module = _ConvNorm(inputs, inner, 1) if row.expansion > 1 else nn.Identity()
        self.depthwise = _ConvNorm(inner, inner, row.kernel, stride, dilation, groups=inner)
        self.project = _ConvNorm(inner, row.width, 1, activation=False)
        self._residual = row.stride == 1 and inputs == row.width

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + out if self._residual else out


def _levels(last: int, output_stride: int) -> list[nn.Sequential]:
    levels = []
    inputs, stride, dilation = STEM_WIDTH, 2, 1
    for rows in _LEVELS[:last]:
        blocks = []
        for row in rows:
            # A block that would have gone beyond the output stride samples as before; those after it dilate.
            kept = row.stride if stride * row.stride <= output_stride else 1
            for number in range(row.blocks):
                first = number == 0
                single = _Row(1, row.kernel, row.width, row.stride if first else 1, row.expansion)
                blocks.append(_Block(inputs, single, kept if first else 1, dilation))
                inputs = row.width
                if first:
                    stride, dilation = stride * kept, dilation * row.stride // kept
        levels.append(nn.Sequential(*blocks))
    return levels
