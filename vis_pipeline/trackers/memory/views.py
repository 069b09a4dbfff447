"""Views: the templates by which a track is known, and which detections are clear enough to become one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.masks.affinity import box_intersections
from vis_pipeline.trackers.memory.settings import MemorySettings


@dataclass(frozen=True)
class Views:
    """What a track looked like, from its first clear view to its latest ones.

    Attributes:
        templates: float32 [V, C, 7, 7], RoI features of the detector.
        colours: float32 [V, B], roots of the colour frequencies below its masks.
        frames: of each, rising.
    """

    templates: Tensor
    colours: Tensor
    frames: tuple[int, ...]

    @classmethod
    def first(cls, template: Tensor, colours: Tensor, frame: int) -> "Views":
        """The first clear view: float32 [C, 7, 7] and [B]."""
        return cls(template[None].clone(), colours[None].clone(), (frame,))

    def seen(self, template: Tensor, colours: Tensor, frame: int, settings: MemorySettings) -> "Views":
        """The views after a clear one in a later frame; nothing changes soon after the last one."""
        if frame - self.frames[-1] < settings.refresh_every:
            return self
        return self.followed_by(Views.first(template, colours, frame), settings)

    def followed_by(self, later: "Views", settings: MemorySettings) -> "Views":
        """These views and later ones of the same object: the first, what it was surely, and the latest."""
        frames = (*self.frames, *later.frames)
        kept = sorted({0, *range(max(1, len(frames) - settings.views + 1), len(frames))})[: settings.views]
        return Views(
            torch.cat([self.templates, later.templates])[kept],
            torch.cat([self.colours, later.colours])[kept],
            tuple(frames[place] for place in kept),
        )


def clear_views(
    boxes: NDArray[np.float64],
    scores: NDArray[np.floating],
    others: NDArray[np.float64],
    size: tuple[int, int],
    settings: MemorySettings,
) -> NDArray[np.bool_]:
    """Which of M detections show one whole object and no other, bool [M].

    Args:
        boxes: [M, 4], x, y, w, h in pixels.
        scores: [M].
        others: [P, 4], the same of what else is in the frame, beside the detections.
        size: height and width of the frame.
        settings: what counts as clear.
    """
    edge = settings.clear_margin
    ends = boxes[:, :2] + boxes[:, 2:]
    inside = (boxes[:, :2] >= edge).all(axis=1) & (ends <= np.array(size[::-1]) - edge).all(axis=1)
    common = box_intersections(boxes, np.concatenate([boxes, others]))
    np.fill_diagonal(common, 0.0)
    shares = common / np.maximum(boxes[:, 2:].prod(axis=1), 1e-9)[:, None]
    alone = shares.max(axis=1, initial=0.0) <= settings.clear_share
    return np.asarray(inside & alone & (scores >= settings.clear_score))


def views_to_tensors(views: Mapping[int, Views]) -> dict[str, Tensor]:
    """The views of tracks as tensors by name."""
    tensors = {}
    for number, kept in views.items():
        parts = {"templates": kept.templates, "colours": kept.colours, "frames": torch.tensor(kept.frames)}
        tensors.update({f"{number}.{name}": value for name, value in parts.items()})
    return tensors


def views_from_tensors(tensors: Mapping[str, Tensor], device: torch.device) -> dict[int, Views]:
    """The views of such tensors."""
    numbers = [int(name.removesuffix(".frames")) for name in tensors if name.endswith(".frames")]
    return {
        number: Views(
            tensors[f"{number}.templates"].to(device),
            tensors[f"{number}.colours"].to(device),
            tuple(tensors[f"{number}.frames"].tolist()),
        )
        for number in numbers
    }
