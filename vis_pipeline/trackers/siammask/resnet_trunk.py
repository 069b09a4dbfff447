"""ResNet to its third stage as SiamMask's trunk, as the release has it."""

import torch.nn.functional as F
from torch import Tensor, nn

from vis_pipeline.backbones.fused_conv import normalised_relu, normalised_sum_relu
from vis_pipeline.trackers.siammask.architectures import Architecture
from vis_pipeline.trackers.siammask.staged_trunk import StagedTrunk


class ResNetTrunk(StagedTrunk):
    """ResNet to layer3: overall stride 8, no padding in the stem and in layer2's first block, dilation 2 in layer3."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        stem, first, second, _ = architecture.stage_channels
        one, two, three = architecture.widths
        block = Bottleneck if architecture.block == "bottleneck" else _BasicBlock
        self.conv1 = nn.Conv2d(3, stem, 7, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.layer1 = _stage(block, stem, one, architecture.depths[0])
        self.layer2 = _stage(block, first, two, architecture.depths[1], stride=2)
        self.layer3 = _stage(block, second, three, architecture.depths[2], dilation=2)
        self.draw_weights()

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Maps of BGR crops in 0..255, float32 [N, 3, S, S], as of layers conv1, layer1, layer2 and layer3."""
        conv1 = self.stem(crops)
        layer1 = self.layer1(F.max_pool2d(conv1, 3, stride=2, padding=1))
        layer2 = self.layer2(layer1)
        return conv1, layer1, layer2, self.layer3(layer2)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1; the 3x3 is unpadded where it strides."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, dilation: int, downsample: nn.Module | None) -> None:
        super().__init__()
        padding = dilation if stride == 1 else 0
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * self.expansion)
        self.downsample = downsample

    @classmethod
    def shortcut(cls, inputs: int, width: int, stride: int, padding: int, same_grid: bool) -> nn.Module:
        """The release's shortcut: 3x3 wherever the stage strides or dilates."""
        convolution = (
            nn.Conv2d(inputs, width * cls.expansion, 1, bias=False)
            if same_grid
            else nn.Conv2d(inputs, width * cls.expansion, 3, stride, padding, bias=False)
        )
        return nn.Sequential(convolution, nn.BatchNorm2d(width * cls.expansion))

    def forward(self, features: Tensor) -> Tensor:
        """Features [N, C, H, W] of the block's width times four."""
        residual = features if self.downsample is None else self.downsample(features)
        inner = normalised_relu(features, self.conv1, self.bn1)
        inner = normalised_relu(inner, self.conv2, self.bn2)
        return normalised_sum_relu(inner, self.conv3, self.bn3, residual)


class _BasicBlock(nn.Module):
    """3x3, 3x3; the first is unpadded where it strides, and the shortcut then takes the centres of its windows."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int, dilation: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, dilation if stride == 1 else 0, dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = downsample
        self.stride = stride

    @classmethod
    def shortcut(cls, inputs: int, width: int, stride: int, padding: int, same_grid: bool) -> nn.Module:
        """1x1: a 3x3 shortcut would cost more than the block itself."""
        return nn.Sequential(nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        residual = features if self.stride == 1 else features[..., 1 : -1 : self.stride, 1 : -1 : self.stride]
        residual = residual if self.downsample is None else self.downsample(residual)
        inner = F.relu(self.bn1(self.conv1(features)), inplace=True)
        return F.relu(self.bn2(self.conv2(inner)) + residual, inplace=True)


def _stage(
    block: type[Bottleneck] | type[_BasicBlock],
    inputs: int,
    width: int,
    depth: int,
    stride: int = 1,
    dilation: int = 1,
) -> nn.Sequential:
    """Blocks of one resolution. The first block of a dilated stage, and its shortcut, have half the dilation."""
    outputs = width * block.expansion
    first_dilation = max(1, dilation // 2)
    shortcut = None
    if stride != 1 or inputs != outputs:
        same_grid = stride == 1 and dilation == 1
        shortcut = block.shortcut(inputs, width, stride, first_dilation if stride == 1 else 0, same_grid)
    first = block(inputs, width, stride, first_dilation, shortcut)
    return nn.Sequential(first, *(block(outputs, width, 1, dilation, None) for _ in range(depth - 1)))
