"""How boxes look, beside what the network knows of them: their colours, or nothing."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from vis_pipeline.trackers.lifecycle.appearance import BINS, colour_codes
from vis_pipeline.trackers.siam_rcnn.settings import ColourSettings

# Points of a lattice along each side of what is looked at, whatever the size of the box.
_POINTS = 48
# Of an object's own colours, what the ground around it has to leave over for them to tell anything.
_LEAST_LEFT = 0.05


@dataclass(frozen=True)
class Appearance:
    """What a box shows.

    Attributes:
        features: float32 [C, 7, 7], the detector's.
        looks: float32 [B], a row of :meth:`Looks.of`.
    """

    features: Tensor
    looks: Tensor


class Looks(Protocol):
    """Something by which boxes are alike or not."""

    def of(self, image: Tensor, boxes: Tensor) -> Tensor:
        """The looks of boxes, float32 [K, B]; the scalar product of two is their likeness, in 0..1.

        Args:
            image: uint8 [H, W, 3], BGR.
            boxes: float32 [K, 4], x1, y1, x2, y2 in pixels.
        """
        ...


class Alike:
    """Everything looks the same: the network's scores stay as they are, as in the paper."""

    def of(self, image: Tensor, boxes: Tensor) -> Tensor:
        """Ones, [K, 1]."""
        return torch.ones((len(boxes), 1), device=boxes.device)


class Colours:
    """Roots of colour frequencies in the ellipse of a box, less those of the ground around it.

    A box holds an object and what lies behind it, which changes as the object moves, and which lookalikes share: a
    part of the colours of a ring around the ellipse is taken away. Where that leaves nothing, the object has the
    ground's colours itself, and they stay.
    """

    def __init__(self, settings: ColourSettings) -> None:
        self._settings = settings

    def of(self, image: Tensor, boxes: Tensor) -> Tensor:
        """Float32 [K, 512]; the likeness of two boxes is their Bhattacharyya coefficient."""
        settings = self._settings
        steps = (torch.arange(_POINTS, device=boxes.device) + 0.5) / _POINTS * 2 - 1
        down, across = torch.meshgrid(steps, steps, indexing="ij")
        lattice = torch.stack([across, down], dim=2).reshape(-1, 2)
        away = (settings.outer * lattice).square().sum(dim=1)
        codes, inside = _seen(colour_codes(image), boxes, settings.outer * lattice)
        own = _frequencies(codes, inside & (away <= 1))
        around = _frequencies(codes, inside & (away >= settings.inner**2) & (away <= settings.outer**2))
        left = (own - settings.ground * around).clamp(min=0)
        share = left.sum(dim=1, keepdim=True)
        return torch.where(share < _LEAST_LEFT, own, left / share.clamp(min=_LEAST_LEFT)).sqrt()


def likeness(first: Tensor, second: Tensor) -> Tensor:
    """How alike the looks of K pairs are, float32 [K]; looks [K, B] each, or [B] of one for all."""
    return (first * second).sum(dim=1).clamp(max=1)


def _seen(codes: Tensor, boxes: Tensor, lattice: Tensor) -> tuple[Tensor, Tensor]:
    """The codes of an image, int32 [H, W], at a lattice over each box, [K, P]; and which points the image has.

    The lattice, float32 [P, 2] (x, y), is in half sides of the box, from its centre.
    """
    height, width = codes.shape
    centres, halves = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    columns, rows = (centres[:, None] + halves[:, None] * lattice).floor().long().unbind(dim=2)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return codes[rows.clamp(0, height - 1), columns.clamp(0, width - 1)], inside


def _frequencies(codes: Tensor, counted: Tensor) -> Tensor:
    """Of the codes [K, P] that are counted, bool [K, P], the share of each, float32 [K, BINS]; zeros where none is."""
    counts = torch.zeros((len(codes), BINS), device=codes.device).scatter_add_(1, codes.long(), counted.float())
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
