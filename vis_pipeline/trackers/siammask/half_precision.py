"""The network for `precision="fast"`: batch norms folded, trunk and branches in bfloat16.

The first layer stays in float32, since bfloat16 is too coarse for grey levels up to 255 and their kernels; so do the
correlations, the heads on them and the refinement, which decide boxes and outlines and cost little.
"""

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from vis_pipeline.trackers.siammask.folding import fold_norms
from vis_pipeline.trackers.siammask.lite_trunk import LiteTrunk
from vis_pipeline.trackers.siammask.network import SearchFeatures, SiamMask


def quick_type(device: torch.device) -> torch.dtype:
    """bfloat16 on a GPU and on CPUs with instructions for it; float32 on others, where it would only cost time."""
    has = device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.bfloat16 if has else torch.float32


def in_half_precision(network: SiamMask, half: torch.dtype = torch.bfloat16) -> SiamMask:
    """A copy of a network for prediction, which takes and gives float32 as the network does."""
    quick = copy.deepcopy(network).eval()
    trunk = quick.features.features
    if isinstance(trunk, LiteTrunk):
        trunk.fold_norms()
        after_stem: list[nn.Module] = list(trunk.levels)
        trunk.levels[0] = nn.Sequential(_To(half), trunk.levels[0])
    else:
        after_stem = [trunk.layer1, trunk.layer2, trunk.layer3]
        trunk.layer1.insert(0, _To(half))
    fold_norms(quick)
    for module in (*after_stem, quick.features.downsample):
        module.to(half)
    quick.features = _Float32Adjusted(quick.features)  # type: ignore[assignment]
    if quick.refine_model is not None:
        quick.refine_model = _Float32Refinement(quick.refine_model)  # type: ignore[assignment]
    segmenting = None if quick.mask_model is None else quick.mask_model.mask
    for branch in (quick.rpn_model.cls, quick.rpn_model.loc, segmenting):
        if branch is not None:
            branch.conv_kernel = _between(branch.conv_kernel, half)
            branch.conv_search = _between(branch.conv_search, half)
    return quick


class _To(nn.Module):
    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        return x.to(self.dtype)


def _between(convolutions: nn.Sequential, half: torch.dtype) -> nn.Sequential:
    return nn.Sequential(_To(half), convolutions.to(half), _To(torch.float32))


class _Float32Adjusted(nn.Module):
    """The other maps stay as they are until the refinement asks for them, if it does, and for which parts."""

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features = features

    def forward(self, crops: Tensor) -> SearchFeatures:
        found: SearchFeatures = self.features(crops)
        return replace(found, adjusted=found.adjusted.float())


class _Float32Refinement(nn.Module):
    def __init__(self, refinement: nn.Module) -> None:
        super().__init__()
        self.refinement = refinement

    def forward(self, *maps: Tensor) -> Tensor:
        logits: Tensor = self.refinement(*(each.float() for each in maps))
        return logits
