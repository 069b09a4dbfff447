"""The SiamMask network, in the module names of the official release, so that its checkpoints load as they are.

Without some of its branches the same is SiamFC or SiamRPN, with depth-wise correlation as in the paper (section 4.1).

Images are BGR in 0..255 without normalisation, float32 [N, 3, S, S] with S = 127 (templates, second-stage crops) or
255 (search crops). All the state of a target is the tensor that :meth:`SiamMask.template` returns. One position of
the 25x25 response is a "row" of the papers. The calls, in the order of use:

* ``template(z) -> [N, C, 7, 7]``
* ``search(x) -> SearchFeatures``
* ``score_and_locate(template, search) -> (scores [N, 2k, 25, 25], offsets [N, 4k, 25, 25])``
* ``mask_correlation(template, search) -> [N, C, 25, 25]`` (1x1 for a 127 crop)
* ``mask_correlation_at(template, search, positions) -> [N, C, 1, 1]``, the same at one position of each crop
* ``coarse_mask_logits(correlation) -> [N, 3969, 25, 25]``
* ``refine_at(search, correlation, positions) -> [M, 127, 127]``, or ``refine_from``, or
  ``refine_whole(search, correlation) -> [N, 127, 127]``
"""

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vis_pipeline.backbones.fused_conv import normalised_relu, normalised_sum_relu
from vis_pipeline.trackers.siammask.alex_trunk import AlexTrunk
from vis_pipeline.trackers.siammask.architectures import COARSE_MASK_SIDE, REFINED_MASK_SIDE, Architecture
from vis_pipeline.trackers.siammask.folding import fold_norms
from vis_pipeline.trackers.siammask.lite_trunk import LiteTrunk


@dataclass(frozen=True)
class SearchFeatures:
    """What the trunk sees in N crops of side 255 (of side 127: the sizes in brackets).

    Attributes:
        conv1: float [N, stem, 125, 125] ([61, 61]).
        layer1: float [N, C1, 63, 63] ([31, 31]).
        layer2: float [N, C2, 31, 31] ([15, 15]).
        adjusted: float [N, C, 31, 31] ([7, 7]), what is correlated with a template.
    """

    conv1: Tensor
    layer1: Tensor
    layer2: Tensor
    adjusted: Tensor


class SiamMask(nn.Module):
    """A SiamMask of any :class:`Architecture`; holds weights and nothing of any target."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.features = _Features(architecture)
        self.rpn_model = _Proposals(architecture)
        self.mask_model = _Masks(architecture) if architecture.segments else None
        self.refine_model = _Refinement(architecture) if architecture.refine else None

    def for_prediction(self) -> "SiamMask":
        """This network in evaluation mode; where that is quicker a copy with norms folded, the same to rounding.

        A fifth to a third of the time of an EfficientNet-Lite0 are its batch norms. With those of a ResNet-50 go the
        sums and ReLUs of its blocks as steps of their own: a sixth of its time; boxes change by 1e-5 pixels.
        """
        trunk = self.features.features
        if isinstance(trunk, _Trunk) and not isinstance(trunk.layer1[0], _Bottleneck):
            return self.eval()
        folded = copy.deepcopy(self).eval()
        trunk = folded.features.features
        if isinstance(trunk, LiteTrunk):
            trunk.fold_norms()
        else:
            fold_norms(folded)
        return folded

    def trunk_layers(self) -> dict[str, tuple[nn.Module, ...]]:
        """The trunk's modules by layer, shallowest first: conv1, layer1, layer2, layer3."""
        return self.features.features.layers()

    def template(self, crops: Tensor) -> Tensor:
        """Features [N, C, 7, 7] of exemplar crops [N, 3, 127, 127]."""
        adjusted: Tensor = self.features(crops).adjusted
        return adjusted

    def search(self, crops: Tensor) -> SearchFeatures:
        """Features of search crops [N, 3, 255, 255] or of second-stage crops [N, 3, 127, 127]."""
        features: SearchFeatures = self.features(crops)
        return features

    def score_and_locate(self, template: Tensor, search: SearchFeatures) -> tuple[Tensor, Tensor | None]:
        """Score logits and box offsets of every anchor at every position.

        Scores are [N, 2k, 25, 25]: channel c*k + a is class c (0 background, 1 target) of anchor a. Offsets are
        [N, 4k, 25, 25]: channel j*k + a is offset j (dx, dy, dw, dh) of anchor a. Without a box branch the scores are
        the logits [N, 1, 25, 25] that the target is there, and there are no offsets.
        """
        scores: Tensor = self.rpn_model.cls(template, search.adjusted)
        locate = self.rpn_model.loc
        return scores, None if locate is None else locate(template, search.adjusted)

    def mask_correlation(self, template: Tensor, search: SearchFeatures) -> Tensor:
        """The mask branch's correlation: [N, C, 25, 25] for search crops, [N, C, 1, 1] for 127 crops.

        Raises:
            ValueError: the architecture has no mask branch, here and below.
        """
        return self._mask_branch().correlate(template, search.adjusted)

    def mask_correlation_at(self, template: Tensor, search: SearchFeatures, positions: Tensor) -> Tensor:
        """The same, [N, C, 1, 1], at one response position y, x of each search crop, int64 [N, 2].

        Only what it depends on is computed: of 29x29 features of the branch 5x5.
        """
        crops, (y, x) = torch.arange(len(positions), device=positions.device), positions.unbind(1)
        window = _windows(search.adjusted, crops, y, x, padding=0, step=1, side=template.shape[-1])
        return self._mask_branch().correlate(template, window)

    def coarse_mask_logits(self, correlation: Tensor) -> Tensor:
        """Mask logits [N, 63*63, h, w] (row-major in the channels) of every position of a correlation [N, C, h, w].

        Raises:
            ValueError: the architecture has no coarse mask head.
        """
        head = self._mask_branch().head
        if head is None:
            raise ValueError("this architecture has no coarse mask head")
        logits: Tensor = head(correlation)
        return logits

    def refine_at(self, search: SearchFeatures, correlation: Tensor, positions: Tensor) -> Tensor:
        """Refined mask logits [M, 127, 127] at M positions of the response.

        Args:
            search: features of search crops; of small ones, too, whose adjusted features are trimmed (a 143 crop's
                response is 3x3).
            correlation: the mask correlation [N, C, 25, 25] of the same crops.
            positions: int64 [M, 3], crop index in the batch, y, x.
        """
        index, y, x = positions.unbind(1)
        return self.refine_from(search, correlation[index, :, y, x], positions)

    def refine_from(self, search: SearchFeatures, responses: Tensor, positions: Tensor) -> Tensor:
        """The same from what the mask correlation is at the positions, [M, C]."""
        index, y, x = positions.unbind(1)
        trimmed = (search.layer2.shape[-1] - search.adjusted.shape[-1]) // 2
        padding = 4 - trimmed
        return self._refine(
            _windows(search.conv1, index, y, x, padding=4 * padding, step=4, side=61),
            _windows(search.layer1, index, y, x, padding=2 * padding, step=2, side=31),
            _windows(search.layer2, index, y, x, padding=padding, step=1, side=15),
            responses,
        )

    def refine_whole(self, search: SearchFeatures, correlation: Tensor) -> Tensor:
        """Refined mask logits [N, 127, 127] of whole 127 crops, from their 1x1 correlation [N, C, 1, 1]."""
        return self._refine(search.conv1, search.layer1, search.layer2, correlation.flatten(1))

    def _mask_branch(self) -> "_Branch":
        if self.mask_model is None:
            raise ValueError("this architecture has no mask branch")
        return self.mask_model.mask

    def _refine(self, conv1: Tensor, layer1: Tensor, layer2: Tensor, response: Tensor) -> Tensor:
        if self.refine_model is None:
            raise ValueError("this architecture has no refinement")
        logits: Tensor = self.refine_model(conv1, layer1, layer2, response)
        return logits


class _Features(nn.Module):
    """Trunk and adjust layer."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        trunks: dict[str, type[LiteTrunk] | type[AlexTrunk]] = {"inverted": LiteTrunk, "plain": AlexTrunk}
        self.features: LiteTrunk | AlexTrunk | _Trunk = trunks.get(architecture.block, _Trunk)(architecture)
        self.downsample = _Adjust(architecture.stage_channels[-1], architecture.adjust_width)

    def forward(self, crops: Tensor) -> SearchFeatures:
        conv1, layer1, layer2, layer3 = self.features(crops)
        return SearchFeatures(conv1, layer1, layer2, self.downsample(layer3))


class _Adjust(nn.Module):
    """1x1 convolution; a map that is narrower than 20, so that of a 127 crop, loses its border of 4."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, features: Tensor) -> Tensor:
        if features.shape[-1] < 20:
            features = features[..., 4:-4, 4:-4]
        adjusted: Tensor = self.downsample(features)
        return adjusted


class _Trunk(nn.Module):
    """ResNet to layer3: overall stride 8, no padding in the stem and in layer2's first block, dilation 2 in layer3."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        stem, first, second, _ = architecture.stage_channels
        one, two, three = architecture.widths
        block = _Bottleneck if architecture.block == "bottleneck" else _BasicBlock
        self.conv1 = nn.Conv2d(3, stem, 7, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.layer1 = _stage(block, stem, one, architecture.depths[0])
        self.layer2 = _stage(block, first, two, architecture.depths[1], stride=2)
        self.layer3 = _stage(block, second, three, architecture.depths[2], dilation=2)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def layers(self) -> dict[str, tuple[nn.Module, ...]]:
        """Its modules by the layer that they belong to."""
        stages = {"layer1": (self.layer1,), "layer2": (self.layer2,), "layer3": (self.layer3,)}
        return {"conv1": (self.conv1, self.bn1), **stages}

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        # In float32 under CUDA's autocast, too: bfloat16 is too coarse for grey levels up to 255 and their kernels.
        with torch.autocast("cuda", enabled=False):
            conv1 = F.relu(self.bn1(self.conv1(crops)), inplace=True)
        layer1 = self.layer1(F.max_pool2d(conv1, 3, stride=2, padding=1))
        layer2 = self.layer2(layer1)
        return conv1, layer1, layer2, self.layer3(layer2)


class _Bottleneck(nn.Module):
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
    block: type[_Bottleneck] | type[_BasicBlock],
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


class _Proposals(nn.Module):
    """Score branch and, where anchors are scored, box branch."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        anchors = architecture.scores_anchors
        self.cls = _Branch(architecture, 2 * architecture.anchors if anchors else 1)
        self.loc = _Branch(architecture, 4 * architecture.anchors) if anchors else None


class _Masks(nn.Module):
    """Mask branch."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.mask = _Branch(architecture, COARSE_MASK_SIDE**2 if architecture.coarse_mask else None)


class _Branch(nn.Module):
    """Depth-wise cross-correlation and, over it, a 1x1 head of `outputs` channels (none: the correlation alone)."""

    def __init__(self, architecture: Architecture, outputs: int | None) -> None:
        super().__init__()
        inputs, width = architecture.adjust_width, architecture.head_width
        self.conv_kernel = _convolution_norm_relu(inputs, width, 3)
        self.conv_search = _convolution_norm_relu(inputs, width, 3)
        self.head = None if outputs is None else _head(width, outputs)

    def correlate(self, template: Tensor, search: Tensor) -> Tensor:
        """Correlate [N, C, 7, 7] with [N, C, S, S], sample by sample, to [N, C', S - 6, S - 6]."""
        kernel = self.conv_kernel(template)
        field = self.conv_search(search)
        samples, channels = kernel.shape[:2]
        groups = samples * channels
        response = F.conv2d(
            field.reshape(1, groups, *field.shape[2:]), kernel.reshape(groups, 1, *kernel.shape[2:]), groups=groups
        )
        return response.view(samples, channels, *response.shape[2:])

    def forward(self, template: Tensor, search: Tensor) -> Tensor:
        assert self.head is not None
        outputs: Tensor = self.head(self.correlate(template, search))
        return outputs


class _Refinement(nn.Module):
    """Three upsample-and-add steps from one response vector to a 127x127 mask (SiamMask 2019, appendix A)."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        channels = architecture.stage_channels
        hidden = architecture.refine_hidden
        fine, middle, coarse = architecture.refine_widths
        self.v0 = _two_convolutions(channels[0], hidden[0], fine)
        self.v1 = _two_convolutions(channels[1], hidden[1], middle)
        self.v2 = _two_convolutions(channels[2], hidden[2], coarse)
        self.h2 = _two_convolutions(coarse, coarse, coarse)
        self.h1 = _two_convolutions(middle, middle, middle)
        self.h0 = _two_convolutions(fine, fine, fine)
        self.deconv = nn.ConvTranspose2d(architecture.head_width, coarse, 15, 15)
        self.post0 = nn.Conv2d(coarse, middle, 3, padding=1)
        self.post1 = nn.Conv2d(middle, fine, 3, padding=1)
        self.post2 = nn.Conv2d(fine, 1, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)

    def forward(self, conv1: Tensor, layer1: Tensor, layer2: Tensor, response: Tensor) -> Tensor:
        """Logits [M, 127, 127] from windows [M, ., 61, 61], [M, ., 31, 31], [M, ., 15, 15] and vectors [M, C]."""
        merged = self.deconv(response[:, :, None, None])
        merged = self.post0(F.interpolate(self.h2(merged) + self.v2(layer2), size=(31, 31)))
        merged = self.post1(F.interpolate(self.h1(merged) + self.v1(layer1), size=(61, 61)))
        side = (REFINED_MASK_SIDE, REFINED_MASK_SIDE)
        logits: Tensor = self.post2(F.interpolate(self.h0(merged) + self.v0(conv1), size=side))
        return logits[:, 0]


def _convolution_norm_relu(inputs: int, outputs: int, side: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, side, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _head(width: int, outputs: int) -> nn.Sequential:
    return _convolution_norm_relu(width, width, 1).append(nn.Conv2d(width, outputs, 1))


def _two_convolutions(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, hidden, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(hidden, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )


def _windows(features: Tensor, index: Tensor, y: Tensor, x: Tensor, padding: int, step: int, side: int) -> Tensor:
    """Cut [M, C, side, side] from zero-padded maps [N, C, H, W], corners at (step*y, step*x) of the padded map.

    One gather whose backward is one scatter: unfolding would materialise all 625 windows of every map.
    """
    padded = F.pad(features, [padding] * 4).permute(0, 2, 3, 1)
    span = torch.arange(side, device=features.device)
    rows = (step * y)[:, None, None] + span[None, :, None]
    columns = (step * x)[:, None, None] + span[None, None, :]
    return padded[index[:, None, None], rows, columns].permute(0, 3, 1, 2)
