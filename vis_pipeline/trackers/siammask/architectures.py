"""The shapes that a SiamMask network can take, as named presets."""

from dataclasses import dataclass
from typing import Literal

TEMPLATE_SIDE = 127
SEARCH_SIDE = 255
STRIDE = 8
RESPONSE_SIDE = 25
COARSE_MASK_SIDE = 63
REFINED_MASK_SIDE = 127


@dataclass(frozen=True)
class Architecture:
    """One network, fully described.

    Every architecture has the same geometry: an unpadded 7x7/2 convolution, a 3x3/2 pool and an unpadded stride-2
    stage, or what samples the same places, so that a 127 crop gives maps of 61, 31 and 15 pixels, a 255 crop 125, 63
    and 31, and their correlation a 25x25 response (SiamMask 2019, Table 6; the release's base_size 8).

    Attributes:
        block: residual block of the trunk; a bottleneck's output is four times its width. `inverted` is that of
            EfficientNet-Lite0, whose widths and depths are given: conv1 is its level 1, layer1 to layer3 its levels 2
            to 4.
        stem_width: channels of conv1.
        widths: inner channels of the blocks of layer1, layer2 and layer3.
        depths: blocks of layer1, layer2 and layer3.
        adjust_width: channels of the features that both crops are compared by.
        head_width: channels of the correlation of every branch.
        branches: 3 scores anchors, regresses boxes and segments; 2 scores positions and segments (paper, Table 2).
        anchors: anchor boxes per position, 1 when there are two branches.
        coarse_mask: whether the 63x63 mask head exists.
        refine: whether the refinement module exists.
        refine_hidden: inner channels of the refinement's skip convolutions at conv1, layer1 and layer2.
        refine_widths: channels of the refinement after those, finest first.
    """

    block: Literal["bottleneck", "basic", "inverted"]
    stem_width: int
    widths: tuple[int, int, int]
    depths: tuple[int, int, int]
    adjust_width: int
    head_width: int
    branches: Literal[2, 3] = 3
    anchors: int = 5
    coarse_mask: bool = True
    refine: bool = True
    refine_hidden: tuple[int, int, int] = (16, 64, 128)
    refine_widths: tuple[int, int, int] = (4, 16, 32)

    @property
    def stage_channels(self) -> tuple[int, int, int, int]:
        """Channels of the maps that conv1, layer1, layer2 and layer3 give."""
        expansion = 4 if self.block == "bottleneck" else 1
        first, second, third = (width * expansion for width in self.widths)
        return self.stem_width, first, second, third


_RESNET50 = {
    "block": "bottleneck",
    "stem_width": 64,
    "widths": (64, 128, 256),
    "depths": (3, 4, 6),
    "adjust_width": 256,
    "head_width": 256,
}
_SMALL = {
    "block": "basic",
    "stem_width": 16,
    "widths": (24, 48, 96),
    "depths": (1, 2, 2),
    "adjust_width": 96,
    "head_width": 96,
    "refine_hidden": (8, 16, 32),
    "refine_widths": (4, 8, 16),
}
_LITE0 = {
    "block": "inverted",
    "stem_width": 16,
    "widths": (24, 40, 112),
    "depths": (2, 2, 6),
    "adjust_width": 96,
    "head_width": 96,
    "refine_hidden": (16, 32, 64),
    "refine_widths": (8, 16, 32),
}

ARCHITECTURES: dict[str, Architecture] = {
    "resnet50": Architecture(**_RESNET50),  # type: ignore[arg-type]
    "resnet50_no_refine": Architecture(**_RESNET50, refine=False),  # type: ignore[arg-type]
    "resnet50_two_branch": Architecture(**_RESNET50, branches=2, anchors=1, refine=False),  # type: ignore[arg-type]
    "small": Architecture(**_SMALL, coarse_mask=False),  # type: ignore[arg-type]
    "small_no_refine": Architecture(**_SMALL, refine=False),  # type: ignore[arg-type]
    "small_two_branch": Architecture(**_SMALL, branches=2, anchors=1, refine=False),  # type: ignore[arg-type]
    "lite0": Architecture(**_LITE0, coarse_mask=False),  # type: ignore[arg-type]
}
