"""Views: the templates by which a track is known, and which detections are clear enough to become one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

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
        frames: of each, rising.
    """

    templates: Tensor
    frames: tuple[int, ...]

    def seen(self, template: Tensor, frame: int, settings: MemorySettings) -> "Views":
        """The views after a clear one, float32 [C, 7, 7], in a later frame; nothing changes soon after the last one."""
        if frame - self.frames[-1] < settings.refresh_every:
            return self
        return self._bounded(torch.cat([self.templates, template[None]]), (*self.frames, frame), settings)

    def followed_by(self, later: "Views", settings: MemorySettings) -> "Views":
        """These views and those of a track that went on with the same object."""
        return self._bounded(torch.cat([self.templates, later.templates]), (*self.frames, *later.frames), settings)

    def _bounded(self, templates: Tensor, frames: tuple[int, ...], settings: MemorySettings) -> "Views":
        """The first one and the latest ones: what the object was surely, and what it was at last."""
        kept = sorted({0, *range(max(1, len(frames) - settings.views + 1), len(frames))})[: settings.views]
        return replace(self, templates=templates[kept], frames=tuple(frames[place] for place in kept))


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
    return {
        f"{number}.{name}": value
        for number, kept in views.items()
        for name, value in (("templates", kept.templates), ("frames", torch.tensor(kept.frames)))
    }


def views_from_tensors(tensors: Mapping[str, Tensor], device: torch.device) -> dict[int, Views]:
    """The views of such tensors."""
    numbers = [int(name.removesuffix(".frames")) for name in tensors if name.endswith(".frames")]
    return {
        number: Views(tensors[f"{number}.templates"].to(device), tuple(tensors[f"{number}.frames"].tolist()))
        for number in numbers
    }
