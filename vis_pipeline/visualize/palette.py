"""Identity colours that stay apart for every reader.

Candidates are a grid of vivid colours in OKLCH (B. Ottosson's perceptual space); each next identity takes the candidate
farthest from all colours given so far. How far two colours are apart is their CIELAB distance where it is least: with
protanopia, deuteranopia or tritanopia (Machado, Oliveira and Fernandes 2009, severity 1), or half of that seen with
ordinary vision. So colour k never depends on how many identities follow, and the first ones, which matter most, are the
farthest apart.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_FIRST = (250.0, 0.68)
_LIGHTNESS = np.arange(0.48, 0.89, 0.05)
_HUES = np.arange(0.0, 360.0, 6.0)
_CHROMA = np.arange(0.25, 0.09, -0.03)
# What is plain to most readers may be so a little less, so that it is plainer to the others.
_ORDINARY_WEIGHT = 0.5

_DIFFERENT = 240

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
# IEC 61966-2-1 and its white, D65.
_LINEAR_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_PROTANOPIA = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)
_DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
_TRITANOPIA = np.array(
    [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
)


def identity_colours(count: int) -> NDArray[np.uint8]:
    """Colours of identities 1 to `count`, uint8 [count, 3], BGR; after 240 they repeat."""
    ordered = _ordered_candidates()
    return np.asarray(ordered[np.arange(count) % len(ordered)])


def perceived_difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far BGR colours [N, 3] and [M, 3] are apart for the reader who sees it least, in CIELAB, float64 [N, M].

    The distance that ordinary vision sees counts half.
    """
    return _least(*(_seen_by_each(_linear_rgb(colours)) for colours in (first, second)))


def _least(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """The least distance over the V visions, of which the first counts half: [N, M], of [V, N, 3] and [V, M, 3]."""
    distances = np.linalg.norm(first[:, :, None] - second[:, None], axis=-1)
    distances[0] *= _ORDINARY_WEIGHT
    return np.asarray(distances.min(axis=0))


@lru_cache(maxsize=1)
def _ordered_candidates() -> NDArray[np.uint8]:
    candidates, start = _candidates()
    seen = _seen_by_each(_linear_rgb(candidates))
    order = [start]
    nearest = np.full(len(candidates), np.inf)
    while len(order) < _DIFFERENT:
        nearest = np.minimum(nearest, _least(seen, seen[:, order[-1:]])[:, 0])
        order.append(int(np.argmax(nearest)))
    return candidates[order]


def _candidates() -> tuple[NDArray[np.uint8], int]:
    """The grid's displayable colours, uint8 [K, 3] BGR, and which of them comes first."""
    grid = np.stack(np.meshgrid(_LIGHTNESS, _HUES, _CHROMA, indexing="ij"), axis=-1).reshape(-1, 3)
    rgb = _oklch_to_linear_rgb(grid)
    shown = ((rgb >= 0) & (rgb <= 1)).all(axis=1)
    lightness, hue, chroma = grid[shown].T
    # The most vivid one of the first hue.
    away = abs(hue - _FIRST[0]) + 100 * abs(lightness - _FIRST[1]) - chroma
    return _encoded_bgr(rgb[shown]), int(np.argmin(away))


def _oklch_to_linear_rgb(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear RGB [N, 3] of lightness, hue in degrees and chroma [N, 3]."""
    lightness, hue, chroma = grid.T
    angle = np.deg2rad(hue)
    oklab = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])
    lms = np.linalg.solve(_LMS_ROOT_TO_OKLAB, oklab) ** 3
    return np.asarray(np.linalg.solve(_LINEAR_RGB_TO_LMS, lms).T)


def _encoded_bgr(linear_rgb: NDArray[np.float64]) -> NDArray[np.uint8]:
    encoded = np.where(linear_rgb <= 0.0031308, 12.92 * linear_rgb, 1.055 * linear_rgb ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * encoded[:, ::-1]), dtype=np.uint8)


def _linear_rgb(bgr: NDArray[np.uint8]) -> NDArray[np.float64]:
    encoded = bgr[:, ::-1].astype(np.float64) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _seen_by_each(linear_rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB coordinates, [4, N, 3]: for each kind of vision, the ordinary one first."""
    white = _LINEAR_RGB_TO_XYZ.sum(axis=1)
    seen = []
    for vision in (np.eye(3), _PROTANOPIA, _DEUTERANOPIA, _TRITANOPIA):
        share = np.clip(linear_rgb @ vision.T, 0, 1) @ _LINEAR_RGB_TO_XYZ.T / white
        # CIE 15: a cube root, straight near black.
        x, y, z = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29).T
        seen.append(np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1))
    return np.stack(seen)
