"""Two artists side by side on the same frames."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.structures.frames import BadFrame, Frame
from vis_pipeline.visualize.contact_sheet import BACKGROUND, MARGIN, TILE_GAP

if TYPE_CHECKING:
    from vis_pipeline.visualize.renderer import Artist


class PairArtist:
    """Draws what each of two artists draws, side by side; see :class:`vis_pipeline.visualize.renderer.Artist`."""

    def __init__(self, left: "Artist", right: "Artist") -> None:
        self._both = (left, right)
        self.panels = left.panels + right.panels

    def on_video(self, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str) -> NDArray[np.uint8]:
        """Both frames with a narrow gap."""
        left, right = (artist.on_video(image, frame, caption) for artist in self._both)
        return _side_by_side(left, right, panel_gap(image.shape[1]))

    def on_tile(self, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str) -> NDArray[np.uint8]:
        """Both tiles, as far apart as tiles are."""
        left, right = (artist.on_tile(image, frame, caption) for artist in self._both)
        return _side_by_side(left, right, TILE_GAP)

    def strip(self, length: int, width: int, marked: Sequence[int], lost: Sequence[int]) -> NDArray[np.uint8]:
        """One strip below the other."""
        above, below = (artist.strip(length, width, marked, lost) for artist in self._both)
        return np.concatenate([above, np.full((MARGIN, width, 3), BACKGROUND, dtype=np.uint8), below])


def panel_gap(width: int) -> int:
    """Pixels between panels of this width."""
    return max(2, 2 * round(width / 160))


def _side_by_side(left: NDArray[np.uint8], right: NDArray[np.uint8], gap: int) -> NDArray[np.uint8]:
    between = np.full((left.shape[0], gap, 3), BACKGROUND, dtype=np.uint8)
    return np.concatenate([left, between, right], axis=1)
