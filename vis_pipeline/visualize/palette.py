"""Identity colours that stay apart for every reader.

Candidates are a grid of equally vivid colours in OKLCH (B. Ottosson's perceptual space); each next identity takes the
candidate farthest from all colours given so far, where the distance is the mean of that seen with ordinary vision and
the lesser of those seen with protanopia and deuteranopia (Machado, Oliveira and Fernandes 2009, severity 1). So colour
k never depends on how many identities follow, and the first ones, which matter most, are the farthest apart.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_FIRST_HUE = 250.0
_LIGHTNESS = (0.54, 0.66, 0.77, 0.88)
_HUE_STEP = 4.0
_CHROMA = (0.24, 0.11)
_LIGHTNESS_WEIGHT = 0.8

_LINEAR_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_ROOT_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_PROTANOPIA = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)
_DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)


def identity_colours(count: int) -> NDArray[np.uint8]:
    """Colours of identities 1 to `count`, uint8 [count, 3], BGR; beyond the candidates (over 150) they repeat."""
    ordered = _ordered_candidates()
    return np.asarray(ordered[np.arange(count) % len(ordered)])


def perceived_difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64]:
    """OKLab distance of BGR colours [N, 3] and [M, 3], float64 [N, M]: the mean of ordinary and worst other vision."""
    pairs = zip(_seen_by_each(_linear_rgb(first)), _seen_by_each(_linear_rgb(second)), strict=True)
    ordinary, *others = (np.linalg.norm(one[:, None] - other[None], axis=-1) for one, other in pairs)
    return np.asarray((ordinary + np.minimum.reduce(others)) / 2)


@lru_cache(maxsize=1)
def _ordered_candidates() -> NDArray[np.uint8]:
    candidates, start = _candidates()
    difference = perceived_difference(candidates, candidates)
    order = [start]
    nearest = difference[start].copy()
    while len(order) < len(candidates):
        nearest[order[-1]] = -1.0
        order.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, difference[order[-1]])
    return candidates[order]


def _candidates() -> tuple[NDArray[np.uint8], int]:
    """The grid's displayable colours, uint8 [K, 3] BGR, and which of them comes first."""
    high, low = _CHROMA
    colours, keys = [], []
    for lightness in _LIGHTNESS:
        for hue in np.arange(0.0, 360.0, _HUE_STEP):
            for chroma in np.arange(high, low - 1e-9, -0.01):
                rgb = _oklch_to_linear_rgb(lightness, float(chroma), float(hue))
                if rgb.min() >= 0 and rgb.max() <= 1:
                    colours.append(_encoded_bgr(rgb))
                    keys.append(abs(hue - _FIRST_HUE) + 100 * abs(lightness - _LIGHTNESS[1]))
                    break
    return np.stack(colours), int(np.argmin(keys))


def _oklch_to_linear_rgb(lightness: float, chroma: float, hue: float) -> NDArray[np.float64]:
    angle = np.deg2rad(hue)
    oklab = np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])
    lms = np.linalg.solve(_LMS_ROOT_TO_OKLAB, oklab) ** 3
    return np.asarray(np.linalg.solve(_LINEAR_RGB_TO_LMS, lms))


def _encoded_bgr(linear_rgb: NDArray[np.float64]) -> NDArray[np.uint8]:
    encoded = np.where(linear_rgb <= 0.0031308, 12.92 * linear_rgb, 1.055 * linear_rgb ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * encoded[::-1]), dtype=np.uint8)


def _linear_rgb(bgr: NDArray[np.uint8]) -> NDArray[np.float64]:
    encoded = bgr[:, ::-1].astype(np.float64) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _seen_by_each(linear_rgb: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """OKLab coordinates, [N, 3] for each kind of vision; lightness counts a little less, as masks are translucent."""
    seen = []
    for vision in (np.eye(3), _PROTANOPIA, _DEUTERANOPIA):
        lms = np.clip(linear_rgb @ vision.T, 0, 1) @ _LINEAR_RGB_TO_LMS.T
        oklab = np.cbrt(lms) @ _LMS_ROOT_TO_OKLAB.T
        seen.append(oklab * np.array([_LIGHTNESS_WEIGHT, 1.0, 1.0]))
    return seen
