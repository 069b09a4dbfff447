"""The shapes that a SiamMask network and its baselines can take, as named presets."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

TEMPLATE_SIDE = 127
SEARCH_SIDE = 255
STRIDE = 8
RESPONSE_SIDE = 25
COARSE_MASK_SIDE = 63
REFINED_MASK_SIDE = 127

Branch: TypeAlias = Literal["score", "box", "mask"]


@dataclass(frozen=True)
class Architecture:
    """One network, fully described.

    Every architecture has the same geometry: an unpadded 7x7/2 convolution, a 3x3/2 pool and an unpadded stride-2
    stage, or what samples the same places, so that a 127 crop gives maps of 61, 31 and 15 pixels, a 255 crop 125, 63
    and 31, and their correlation a 25x25 response (SiamMask 2019, Table 6; the release's base_size 8).

    Attributes:
        block: residual block of the trunk; a bottleneck's output is four times its width. `inverted` is that of
            EfficientNet-Lite0, whose widths and depths are given: conv1 is its level 1, layer1 to layer3 its levels 2
            to 4. `plain` are AlexNet's convolutions: conv2 is layer1, conv3 layer2, conv4 and conv5 are layer3.
        stem_width: channels of conv1.
        widths: inner channels of the blocks of layer1, layer2 and layer3.
        depths: blocks of layer1, layer2 and layer3.
        adjust_width: channels of the features that both crops are compared by.
        head_width: channels of the correlation of every branch.
        branches: what the correlations are made into. With `box` anchors are scored and their boxes regressed, without
            it positions are scored: SiamMask has all three, or score and mask (paper, Tables 3 and 2), SiamRPN score
            and box, SiamFC the score alone.
        anchors: anchor boxes per position, 1 where positions are scored.
        coarse_mask: whether the 63x63 mask head exists.
        refine: whether the refinement module exists.
        refine_hidden: inner channels of the refinement's skip convolutions at conv1, layer1 and layer2.
        refine_widths: channels of the refinement after those, finest first.
    """

    block: Literal["bottleneck", "basic", "inverted", "plain"]
    stem_width: int
    widths: tuple[int, int, int]
    depths: tuple[int, int, int]
    adjust_width: int
    head_width: int
    branches: tuple[Branch, ...] = ("score", "box", "mask")
    anchors: int = 5
    coarse_mask: bool = True
    refine: bool = True
    refine_hidden: tuple[int, int, int] = (16, 64, 128)
    refine_widths: tuple[int, int, int] = (4, 16, 32)

    def __post_init__(self) -> None:
        if self.segments != (self.coarse_mask or self.refine):
            raise ValueError("the mask branch and what makes masks of it, a head or a refinement, need each other")

    @property
    def stage_channels(self) -> tuple[int, int, int, int]:
        """Channels of the maps that conv1, layer1, layer2 and layer3 give."""
        expansion = 4 if self.block == "bottleneck" else 1
        first, second, third = (width * expansion for width in self.widths)
        return self.stem_width, first, second, third

    @property
    def scores_anchors(self) -> bool:
        """Whether anchors are scored, not positions."""
        return "box" in self.branches

    @property
    def segments(self) -> bool:
        """Whether there are masks."""
        return "mask" in self.branches


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

_ALEXNET = {
    "block": "plain",
    "stem_width": 96,
    "widths": (256, 384, 256),
    "depths": (1, 1, 2),
    "adjust_width": 256,
    "head_width": 256,
}
_SMALL_ALEXNET = {
    "block": "plain",
    "stem_width": 16,
    "widths": (48, 96, 96),
    "depths": (1, 1, 2),
    "adjust_width": 96,
    "head_width": 96,
}
_TWO_BRANCHES = {"branches": ("score", "mask"), "anchors": 1, "refine": False}
_SIAMFC = {"branches": ("score",), "anchors": 1, "coarse_mask": False, "refine": False}
_SIAMRPN = {"branches": ("score", "box"), "coarse_mask": False, "refine": False}

ARCHITECTURES: dict[str, Architecture] = {
    "resnet50": Architecture(**_RESNET50),  # type: ignore[arg-type]
    "resnet50_no_refine": Architecture(**_RESNET50, refine=False),  # type: ignore[arg-type]
    "resnet50_two_branch": Architecture(**_RESNET50, **_TWO_BRANCHES),  # type: ignore[arg-type]
    "small": Architecture(**_SMALL, coarse_mask=False),  # type: ignore[arg-type]
    "small_no_refine": Architecture(**_SMALL, refine=False),  # type: ignore[arg-type]
    "small_two_branch": Architecture(**_SMALL, **_TWO_BRANCHES),  # type: ignore[arg-type]
    "lite0": Architecture(**_LITE0, coarse_mask=False),  # type: ignore[arg-type]
    "siamfc_alexnet": Architecture(**_ALEXNET, **_SIAMFC),  # type: ignore[arg-type]
    "siamfc_resnet50": Architecture(**_RESNET50, **_SIAMFC),  # type: ignore[arg-type]
    "siamfc_small": Architecture(**_SMALL, **_SIAMFC),  # type: ignore[arg-type]
    "siamfc_small_alexnet": Architecture(**_SMALL_ALEXNET, **_SIAMFC),  # type: ignore[arg-type]
    "siamrpn_alexnet": Architecture(**_ALEXNET, **_SIAMRPN),  # type: ignore[arg-type]
    "siamrpn_resnet50": Architecture(**_RESNET50, **_SIAMRPN),  # type: ignore[arg-type]
    "siamrpn_small": Architecture(**_SMALL, **_SIAMRPN),  # type: ignore[arg-type]
    "siamrpn_small_alexnet": Architecture(**_SMALL_ALEXNET, **_SIAMRPN),  # type: ignore[arg-type]
}
