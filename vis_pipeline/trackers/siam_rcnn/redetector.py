"""The re-detection head: is this region of a frame the object of that template, and what is its box?

Siam R-CNN (Voigtlaender et al., CVPR 2020), section 3.1; what the paper leaves open is as in the authors' release.
"""

from collections.abc import Sequence
from typing import cast

import torch
from mmdet.models.roi_heads.bbox_heads import Shared4Conv1FCBBoxHead
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from vis_pipeline.settings.config import STRICT
from vis_pipeline.structures.regions import REGION_SIZE

STAGE_IOUS = (0.5, 0.6, 0.7)
"""From which IoU on with its object a region is that object, in each stage of the cascade."""

BOX_WEIGHTS = ((10.0, 10.0, 5.0, 5.0), (20.0, 20.0, 10.0, 10.0), (30.0, 30.0, 15.0, 15.0))
"""What each stage's offsets (x, y, and the logarithms of width and height) are multiplied by."""

OBJECT, BACKGROUND = 0, 1
"""The two classes, in mmdet's order."""


@dataclass(frozen=True, config=STRICT)
class RedetectorArchitecture:
    """Widths of the head; the defaults are the paper's.

    Attributes:
        channels: of the detector's RoI features, C.
        conv_channels: of the four convolutions.
        fc_channels: of the fully connected layer.
        groups: of the group norms; they divide `conv_channels`.
    """

    channels: int = Field(default=256, ge=1, le=65536)
    conv_channels: int = Field(default=256, ge=1, le=65536)
    fc_channels: int = Field(default=1024, ge=1, le=65536)
    groups: int = Field(default=32, ge=1, le=65536)

    def __post_init__(self) -> None:
        if self.conv_channels % self.groups:
            raise ValueError(f"groups = {self.groups} do not divide conv_channels = {self.conv_channels}")


class RedetectionStage(nn.Module):
    """One stage of the cascade: template and region side by side, brought to half the channels, and a box head."""

    def __init__(self, architecture: RedetectorArchitecture, box_weights: Sequence[float]) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(2 * architecture.channels, architecture.channels, 1)
        self.head = Shared4Conv1FCBBoxHead(
            in_channels=architecture.channels,
            conv_out_channels=architecture.conv_channels,
            fc_out_channels=architecture.fc_channels,
            roi_feat_size=REGION_SIZE,
            num_classes=1,
            reg_class_agnostic=True,
            norm_cfg={"type": "GN", "num_groups": architecture.groups},
            bbox_coder={
                "type": "DeltaXYWHBBoxCoder",
                "target_means": [0.0, 0.0, 0.0, 0.0],
                "target_stds": [1 / weight for weight in box_weights],
            },
        )
        self._initialise()

    def _initialise(self) -> None:
        """The difference of the two, before it learns; the head as its own `init_weights`, which logs each tensor."""
        self.compare_along(torch.eye(self.reduce.out_channels))
        nn.init.xavier_uniform_(self.head.shared_fcs[0].weight)
        for layer, deviation in ((self.head.fc_cls, 0.01), (self.head.fc_reg, 0.001)):
            nn.init.normal_(layer.weight, std=deviation)
        biases = [self.reduce.bias, self.head.shared_fcs[0].bias, self.head.fc_cls.bias, self.head.fc_reg.bias]
        for bias in biases:
            nn.init.zeros_(cast(Tensor, bias))

    @torch.no_grad()
    def compare_along(self, directions: Tensor) -> None:
        """Begin with the difference of region and template along directions, the rows of a float32 [C, C].

        From random weights, few steps teach it nothing: it has to find out first that the two are to be compared.
        """
        self.reduce.weight.copy_(torch.cat([-directions, directions], dim=1)[:, :, None, None])

    def forward(self, templates: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
        """Compare pairs.

        Args:
            templates, regions: float32 [K, C, 7, 7].

        Returns:
            Logits [K, 2] (object, background), and offsets of the boxes [K, 4] for :meth:`moved` or a loss.
        """
        logits, offsets = self.head(self.reduce(torch.cat([templates, regions], dim=1)))
        return logits.float(), offsets.float()

    def moved(self, boxes: Tensor, offsets: Tensor, size: tuple[int, int]) -> Tensor:
        """Boxes float32 [K, 4] (x1, y1, x2, y2) moved by the stage's offsets, cut at a frame of height and width."""
        moved: Tensor = self.head.bbox_coder.decode(boxes, offsets, max_shape=size)
        return moved

    def targets(self, boxes: Tensor, objects: Tensor) -> Tensor:
        """The offsets [K, 4] that move boxes onto objects, both float32 [K, 4]."""
        offsets: Tensor = self.head.bbox_coder.encode(boxes, objects)
        return offsets


class Redetector(nn.Module):
    """Three stages without shared weights; a pair's score is the mean of their three probabilities."""

    def __init__(self, architecture: RedetectorArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.stages = nn.ModuleList(RedetectionStage(architecture, weights) for weights in BOX_WEIGHTS)

    @property
    def cascade(self) -> tuple[RedetectionStage, ...]:
        """The stages in their order."""
        return tuple(cast(RedetectionStage, stage) for stage in self.stages)

    def forward(self, templates: Tensor, regions: Tensor) -> Tensor:
        """Scores float32 [K] in 0..1 of pairs whose regions are not moved any more: [K, C, 7, 7] each."""
        scores = [object_probability(stage(templates, regions)[0]) for stage in self.cascade]
        return torch.stack(scores).mean(dim=0)


def object_probability(logits: Tensor) -> Tensor:
    """Of logits [K, 2], the probability of the object, [K]."""
    return logits.softmax(dim=1)[:, OBJECT]
