"""What trunks with one strided convolution and three stages share."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class StagedTrunk(nn.Module):
    """A base: who derives from it makes `conv1`, `bn1` and `layer1` to `layer3`, and says how they go on."""

    conv1: nn.Conv2d
    bn1: nn.BatchNorm2d
    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential

    def layers(self) -> dict[str, tuple[nn.Module, ...]]:
        """Its modules by the layer of the release's ResNet that they are, or stand for."""
        stages = {"layer1": (self.layer1,), "layer2": (self.layer2,), "layer3": (self.layer3,)}
        return {"conv1": (self.conv1, self.bn1), **stages}

    def draw_weights(self) -> None:
        """Begin every convolution for ReLUs, by its outputs."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def stem(self, crops: Tensor) -> Tensor:
        """The map of conv1, float32, of BGR crops in 0..255, float32 [N, 3, S, S]."""
        # In float32 under CUDA's autocast, too: bfloat16 is too coarse for grey levels up to 255 and their kernels.
        with torch.autocast("cuda", enabled=False):
            return F.relu(self.bn1(self.conv1(crops)), inplace=True)
