"""EfficientNet-Lite0 as SiamMask's trunk, with the geometry of the release's ResNet."""

import torch
from torch import Tensor, nn

from vis_pipeline.backbones.efficientnet_lite import WIDTHS, EfficientNetLite0
from vis_pipeline.trackers.siammask.architectures import STRIDE, Architecture

_LEVELS = (1, 2, 3, 4)
_DEPTHS = (2, 2, 6)
_GREY = 127.0
_PADDING = (-2, 1, 1)
"""Of the convolutions that stride.

The 3x3 stem then samples pixels 3, 5, 7, ... as an unpadded 7x7 does, level 2 pixels 3, 7, 11, ... as the padded pool,
and level 3 pixels 7, 15, 23, ... as an unpadded stage: all maps have the crop's middle pixel in their middle, which
with "SAME" padding those of an odd side cannot.
"""


class LiteTrunk(EfficientNetLite0):
    """Levels 1 to 4 at strides 2, 4, 8 and 8; level 4 keeps the sampling of its kernels by dilation.

    As in the release, level 4 pads, and the adjust layer cuts the border off an exemplar's map (15 to 7).

    Raises:
        ValueError: the architecture has other widths or depths than EfficientNet-Lite0.
    """

    def __init__(self, architecture: Architecture) -> None:
        if architecture.stage_channels != WIDTHS[:4] or architecture.depths != _DEPTHS:
            raise ValueError(f"EfficientNet-Lite0 has the widths {WIDTHS[:4]} and the depths {_DEPTHS}")
        super().__init__(_LEVELS, output_stride=STRIDE, padding_value=_GREY, strided_padding=_PADDING)

    def layers(self) -> dict[str, tuple[nn.Module, ...]]:
        """Its modules by the ResNet's layer that they stand for."""
        first, second, third, fourth = self.levels
        return {"conv1": (self.stem, first), "layer1": (second,), "layer2": (third,), "layer3": (fourth,)}

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Maps of BGR crops in 0..255, float32 [N, 3, S, S], as of layers conv1, layer1, layer2 and layer3."""
        # In float32 under autocast, too: bfloat16 is too coarse for grey levels up to 255 and their kernels.
        with torch.autocast(crops.device.type, enabled=False):
            x = self.stem(crops)
        found = []
        for level in self.levels:
            x = level(x)
            found.append(x)
        return tuple(found)
