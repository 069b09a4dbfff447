"""One picture of a whole video: evenly spaced frames with their masks, and below them the identities' timelines."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.visualize.text import Colour, draw_text, shortened, text_size

SHEET_WIDTH = 1600
MARGIN = 20
TILE_GAP = 8
BACKGROUND: Colour = (28, 25, 24)
MOST_FRAMES = 12
_FEWEST_COLUMNS = 3
# A tile is at most so many times as high as wide, or a strip of a frame would make a sheet that nothing can open.
_MOST_STEEP = 3
_TITLE_SIZE, _SUBTITLE_SIZE = 24, 15
_TEXT: Colour = (245, 245, 245)
_FAINT_TEXT: Colour = (175, 170, 170)


def spread(length: int, most: int = MOST_FRAMES) -> list[int]:
    """At most `most` indices, evenly spaced over `length` places, the first and the last among them."""
    return sorted({int(index) for index in np.rint(np.linspace(0, length - 1, min(length, most)))})


def sheet_columns(height: int, width: int, frames: int, panels: int = 1) -> int:
    """How many frames of this size, each in so many panels, stand side by side on a sheet of so many."""
    widest = max((4 if width >= height else 6) // panels, 1)
    rows = -(-frames // widest)
    return -(-frames // rows)


def tile_size(
    height: int, width: int, columns: int, sheet_width: int = SHEET_WIDTH, panels: int = 1
) -> tuple[int, int]:
    """Height and width in pixels of one panel of a tile for so many columns of tiles (at least three of panels).

    It has the frame's aspect ratio, as far as whole pixels allow, and is at most three times as high as its column is
    wide.
    """
    columns = max(columns * panels, _FEWEST_COLUMNS)
    column_width = (sheet_width - 2 * MARGIN - (columns - 1) * TILE_GAP) // columns
    scale = min(column_width / width, _MOST_STEEP * column_width / height)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resized(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """The image [H, W, 3] at another size, averaged where it shrinks."""
    way = cv2.INTER_AREA if height < image.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=way), dtype=np.uint8)


def montage(tiles: Sequence[NDArray[np.uint8]], columns: int, background: Colour = BACKGROUND) -> NDArray[np.uint8]:
    """Tiles of one size, uint8 [h, w, 3] each, row by row on a grid with small gaps: uint8 [H, W, 3]."""
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    size = (rows * (height + TILE_GAP) - TILE_GAP, columns * (width + TILE_GAP) - TILE_GAP, 3)
    canvas = np.full(size, background, dtype=np.uint8)
    for position, tile in enumerate(tiles):
        top, left = (position // columns) * (height + TILE_GAP), (position % columns) * (width + TILE_GAP)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def contact_sheet(
    title: str, subtitle: str, tiles: Sequence[NDArray[np.uint8]], columns: int, strip: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Title line, a grid of drawn frames, and a strip (the timelines) below: uint8 [H, W, 3], BGR.

    The sheet is as wide as the wider of grid and strip, plus margins.
    """
    grid = montage(tiles, columns)
    width = max(grid.shape[1], strip.shape[1])
    title_height = text_size(title, _TITLE_SIZE, bold=True)[1]
    header = np.full((title_height + MARGIN // 2, width, 3), BACKGROUND, dtype=np.uint8)
    subtitle_width, subtitle_height = text_size(subtitle, _SUBTITLE_SIZE)
    shown = shortened(title, _TITLE_SIZE, max(width - subtitle_width - 2 * MARGIN, MARGIN), bold=True)
    draw_text(header, shown, 0, 0, _TITLE_SIZE, _TEXT, bold=True)
    draw_text(header, subtitle, width - subtitle_width, title_height - subtitle_height - 3, _SUBTITLE_SIZE, _FAINT_TEXT)
    parts = [header, grid, np.full((MARGIN, width, 3), BACKGROUND, dtype=np.uint8), strip]
    body = np.concatenate([_widened(part, width) for part in parts])
    margins = ((MARGIN, MARGIN), (MARGIN, MARGIN))
    return np.stack([np.pad(body[..., band], margins, constant_values=BACKGROUND[band]) for band in range(3)], axis=-1)


def _widened(part: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    canvas = np.full((part.shape[0], width, 3), BACKGROUND, dtype=np.uint8)
    canvas[:, : part.shape[1]] = part
    return canvas
