"""Frames whose features are made up, and re-detectors that are small."""

import torch
from torch import Tensor

from vis_pipeline.trackers.siam_rcnn.redetector import Redetector, RedetectorArchitecture

SIZE = (60, 80)


class DrawnRegions:
    """A frame of random features: those of a box depend on its place alone."""

    def __init__(self, channels: int = 4, proposals: int = 9, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.size = SIZE
        self.channels = channels
        corners = torch.rand((proposals, 2), generator=generator) * torch.tensor([50.0, 35.0])
        sides = 5 + torch.rand((proposals, 2), generator=generator) * 20
        self.proposals = torch.cat([corners, corners + sides], dim=1)
        self._directions = torch.randn((4, channels * 49), generator=generator) / 20
        self.asked = 0

    def align(self, boxes: Tensor) -> Tensor:
        self.asked += len(boxes)
        return torch.sin(boxes @ self._directions).reshape(len(boxes), self.channels, 7, 7)


def tiny_redetector(channels: int = 4, seed: int = 0) -> Redetector:
    """One that has learned nothing, whose scores and offsets are nevertheless not all the same."""
    torch.manual_seed(seed)
    network = Redetector(RedetectorArchitecture(channels=channels, conv_channels=8, fc_channels=16, groups=4))
    for stage in network.cascade:
        torch.nn.init.normal_(stage.head.fc_cls.weight, std=0.5)
        torch.nn.init.normal_(stage.head.fc_reg.weight, std=0.3)
    return network.eval()


def templates(count: int, channels: int = 4, seed: int = 1) -> Tensor:
    return torch.randn((count, channels, 7, 7), generator=torch.Generator().manual_seed(seed))
