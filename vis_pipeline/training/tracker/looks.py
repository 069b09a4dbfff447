"""Random changes of how crops look: light, blur, colour. Drawn here once, applied where the crops are cut."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vis_pipeline.training.tracker.settings import AugmentSettings

WIDEST_BLUR = 5
EXEMPLAR, SEARCH = 0, 1
"""Whose light: the second-stage crop is of the search image and changes with it."""


@dataclass(frozen=True)
class Looks:
    """What is done to the crops of N pairs, in this order.

    Attributes:
        gains, offsets: float64 [N, 2, 3], a grey level v becomes v * gain + offset, clipped and truncated; of the
            exemplar and of the search image, for B, G and R.
        blur: int64 [N, 2], width and height in pixels of the box that the search image's crops are averaged over,
            mirrored at the border; 1 leaves them as they are. An even box reaches one pixel further left and up.
        grey: bool [N], the pair's crops lose their colour.
    """

    gains: NDArray[np.float64]
    offsets: NDArray[np.float64]
    blur: NDArray[np.int64]
    grey: NDArray[np.bool_]


def draw_looks(count: int, settings: AugmentSettings, rng: Generator) -> Looks:
    """Draw the looks of `count` pairs; each colour channel differs by a third of the common change of light."""

    def change() -> NDArray[np.float64]:
        common = rng.uniform(-settings.light, settings.light, (count, 2, 1))
        return common + rng.uniform(-settings.light, settings.light, (count, 2, 3)) / 3

    gains, offsets = 1 + change(), 128 * change()
    blurred = rng.random(count) < settings.blur
    boxes = rng.integers(1, WIDEST_BLUR + 1, (count, 2))
    return Looks(gains, offsets, np.where(blurred[:, None], boxes, 1), rng.random(count) < settings.grey)
