"""Which shot of its video a frame belongs to: what is at a place says something about what was there in that one alone.

Nothing is learnt or looked up ahead. A frame is compared with the one before it by two features that fail at different
things: how its colours lie in it, which motion hardly changes, and how its light does, which no exposure changes.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.trackers.lifecycle.appearance import BINS, LEVELS

# Of a frame's side that colours are counted in.
CELLS = 4
# Width and height of its picture in light and dark.
LAYOUT_SIZE = (32, 18)
# Looked at, of any frame; more tell no more.
_PIXELS = 10_000


@dataclass(frozen=True)
class Signature:
    """What a frame is compared by.

    Attributes:
        colours: float32 [CELLS * CELLS * BINS], roots of the frequencies of (cell, colour) among its pixels.
        layout: float32 [18 * 32], its grey values, small, less their mean, of length 1; zeros if they are all one.
    """

    colours: NDArray[np.float32]
    layout: NDArray[np.float32]


def signature(image: NDArray[np.uint8]) -> Signature:
    """The signature of an image, uint8 [H, W, 3]; every so many of its rows and columns are looked at."""
    step = max(1, math.isqrt(image.shape[0] * image.shape[1] // _PIXELS))
    pixels = np.ascontiguousarray(image[::step, ::step])
    rows, columns = (np.arange(side) * CELLS // side for side in pixels.shape[:2])
    levels = (pixels // (256 // LEVELS)).astype(np.int32)
    codes = rows[:, None] * CELLS + columns
    for channel in range(3):
        codes = codes * LEVELS + levels[..., channel]
    frequencies = np.bincount(codes.ravel(), minlength=CELLS * CELLS * BINS) / codes.size
    grey = cv2.resize(pixels, LAYOUT_SIZE, interpolation=cv2.INTER_AREA).mean(axis=2, dtype=np.float64).ravel()
    layout = grey - grey.mean()
    length = np.linalg.norm(layout)
    return Signature(np.sqrt(frequencies).astype(np.float32), (layout / max(length, 1e-6)).astype(np.float32))


def likeness(one: Signature, other: Signature) -> float:
    """How alike two frames are, 0 to 1.

    The better of two: the Bhattacharyya coefficient of their colours by cell, and the squared correlation of their
    layouts, which is 0 where one is dark and the other is light.
    """
    by_colours = float(one.colours @ other.colours)
    by_layout = max(0.0, float(one.layout @ other.layout)) ** 2
    return max(by_colours, by_layout)


@dataclass(frozen=True)
class Shots:
    """The shots of a video that matter by a frame.

    Attributes:
        current: the frame's own.
        last: the last frame of each; empty before a video's first.
    """

    current: int
    last: Mapping[int, Signature]

    def at(self, frame: Signature, needed: Collection[int], cut_likeness: float) -> "Shots":
        """The shots by the next frame.

        It goes on with the present shot unless it is less like its last frame than `cut_likeness`; then with the
        `needed` one, those that live tracks belong to, whose last frame it is most like, if it is so like that; or
        else it begins another one.
        """
        kept = {shot: seen for shot, seen in self.last.items() if shot == self.current or shot in needed}
        shot = self.current
        if kept and likeness(frame, kept[shot]) < cut_likeness:
            alike = {earlier: likeness(frame, seen) for earlier, seen in kept.items()}
            shot = max(alike, key=lambda earlier: alike[earlier])
            if alike[shot] < cut_likeness:
                shot = max(kept) + 1
        return Shots(shot, {**kept, shot: frame})

    def to_tensors(self) -> dict[str, Tensor]:
        """All but which one is the current, by name."""
        seen = list(self.last.values())
        return {
            "shots": torch.tensor(list(self.last), dtype=torch.int64),
            "colours": torch.from_numpy(np.stack([frame.colours for frame in seen])),
            "layouts": torch.from_numpy(np.stack([frame.layout for frame in seen])),
        }

    @classmethod
    def from_tensors(cls, current: int, tensors: Mapping[str, Tensor]) -> "Shots":
        """The shots of such tensors."""
        seen = map(Signature, tensors["colours"].numpy(), tensors["layouts"].numpy())
        return cls(current, dict(zip(tensors["shots"].tolist(), seen, strict=True)))


def no_shots() -> Shots:
    """Those before a video's first frame."""
    return Shots(0, {})
