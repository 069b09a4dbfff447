"""Batch norms put into the convolutions before them."""

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_norms(module: nn.Module) -> None:
    """Put batch norms, as they are when predicting, into the convolutions that come before them, in place.

    A norm's convolution stands before it in an `nn.Sequential`, or bears its number (`conv1`, `bn1`).
    """
    for part in module.modules():
        named = list(part.named_children())
        pairs = [(f"conv{name[2:]}", name) for name, _ in named if name.startswith("bn")]
        if isinstance(part, nn.Sequential):
            pairs += [(before, name) for (before, _), (name, _) in pairwise(named)]
        for convolution_name, norm_name in pairs:
            convolution, norm = getattr(part, convolution_name), getattr(part, norm_name)
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(part, convolution_name, fuse_conv_bn_eval(convolution, norm))
                setattr(part, norm_name, nn.Identity())
