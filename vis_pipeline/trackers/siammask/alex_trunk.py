"""AlexNet as the trunk of SiamFC and SiamRPN, with the geometry of the release's ResNet."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vis_pipeline.trackers.siammask.architectures import Architecture

_DEPTHS = (1, 1, 2)


class AlexTrunk(nn.Module):
    """Five convolutions with batch norms, two 3x3/2 pools, overall stride 8; the last has no ReLU.

    SiamFC's AlexNet pads nowhere, so that its maps of 6 and 22 pixels give a response of 17x17. Here all is padded but
    what the ResNet does not pad either (the step to stride 8), and the adjust layer cuts the border off an exemplar's
    map: the maps are 61, 31 and 15 pixels of a 127 crop, sampled at the ResNet's places, and everything else is shared.

    Raises:
        ValueError: the architecture has other depths than AlexNet.
    """

    def __init__(self, architecture: Architecture) -> None:
        if architecture.depths != _DEPTHS:
            raise ValueError(f"AlexNet has the depths {_DEPTHS}")
        super().__init__()
        stem, first, second, third = architecture.stage_channels
        # Zeros would frame grey levels in black, which is an edge like those that this layer looks for.
        self.conv1 = nn.Conv2d(3, stem, 11, stride=2, padding=2, padding_mode="replicate", bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.layer1 = _convolution(stem, first, 5).append(nn.ReLU(inplace=True))
        self.layer2 = _convolution(first, second, 3).append(nn.ReLU(inplace=True))
        self.layer3 = nn.Sequential(
            *_convolution(second, second, 3), nn.ReLU(inplace=True), *_convolution(second, third, 3)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def layers(self) -> dict[str, tuple[nn.Module, ...]]:
        """Its modules by the ResNet's layer that they stand for."""
        stages = {"layer1": (self.layer1,), "layer2": (self.layer2,), "layer3": (self.layer3,)}
        return {"conv1": (self.conv1, self.bn1), **stages}

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Maps of BGR crops in 0..255, float32 [N, 3, S, S], as of layers conv1, layer1, layer2 and layer3."""
        # In float32 under CUDA's autocast, too: bfloat16 is too coarse for grey levels up to 255 and their kernels.
        with torch.autocast("cuda", enabled=False):
            conv1 = F.relu(self.bn1(self.conv1(crops)), inplace=True)
        layer1 = self.layer1(F.max_pool2d(conv1, 3, stride=2, padding=1))
        layer2 = self.layer2(F.max_pool2d(layer1, 3, stride=2))
        return conv1, layer1, layer2, self.layer3(layer2)


def _convolution(inputs: int, outputs: int, side: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=False), nn.BatchNorm2d(outputs))
