"""PNGs in which the value of a pixel is its object's number and a palette gives it a colour (DAVIS, YouTube-VOS)."""

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def palette_png(labels: NDArray[np.uint8]) -> bytes:
    """A PNG of label map [H, W] with the palette of PASCAL VOC, which DAVIS and YouTube-VOS have, too."""
    image = Image.fromarray(labels)
    # Which makes it one of mode P.
    image.putpalette(voc_palette().ravel().tolist())
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@lru_cache(maxsize=1)
def voc_palette() -> NDArray[np.uint8]:
    """PASCAL VOC's colours, uint8 [256, 3] RGB: the bits of a value, three by three, are the channels' highest bits."""
    values = np.arange(256)
    colours = np.zeros((256, 3), dtype=np.uint8)
    for step in range(8):
        for channel in range(3):
            colours[:, channel] |= (((values >> (3 * step + channel)) & 1) << (7 - step)).astype(np.uint8)
    return colours
