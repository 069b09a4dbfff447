"""Colours, object textures and backgrounds; images are float32 [H, W, 3], BGR, 0 to 255."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.synthesis.common.outlines import irregular_contour

Image = NDArray[np.float32]
Field = NDArray[np.float32]

PATTERNS = ("stripes", "checks", "dots", "noise", "gradient", "two_tone", "plain")
TEXTURE_SIZE = 160


def lab_to_bgr(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB (L 0 to 100) to BGR 0 to 255, clipped to the gamut; both [N, 3]."""
    rgb = cv2.cvtColor(colours.astype(np.float32)[None], cv2.COLOR_Lab2BGR)[0]
    return np.asarray(np.clip(rgb, 0, 1), dtype=np.float64) * 255


def bgr_to_lab(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """BGR 0 to 255 to CIELAB; both [N, 3]."""
    return np.asarray(cv2.cvtColor((colours / 255).astype(np.float32)[None], cv2.COLOR_BGR2Lab)[0], dtype=np.float64)


def background_colours(rng: np.random.Generator) -> NDArray[np.float64]:
    """Three related colours, BGR [3, 3]: a random one and two at a moderate CIELAB distance from it."""
    base = np.array([rng.uniform(25, 75), *rng.uniform(-32, 32, 2)])
    offsets = rng.normal(0, 1, (3, 3))
    offsets *= rng.uniform([[0.0], [14.0], [18.0]], [[0.1], [30.0], [36.0]]) / np.linalg.norm(offsets, axis=1)[:, None]
    return lab_to_bgr(np.clip(base + offsets, [8, -70, -70], [92, 70, 70]))


def object_colours(rng: np.random.Generator, background: NDArray[np.float64], contrast: float) -> NDArray[np.float64]:
    """Two colours, BGR [2, 3]; the first at least `contrast` (CIELAB) from every background colour.

    The second differs from the first, and may come nearer to the background.
    """
    candidates = rng.uniform(0, 255, (64, 3))
    lab = bgr_to_lab(candidates)
    to_background = np.linalg.norm(lab[:, None] - bgr_to_lab(background)[None], axis=2).min(axis=1)
    clear = np.flatnonzero(to_background >= contrast)
    first = int(clear[0]) if clear.size else int(to_background.argmax())
    to_first = np.linalg.norm(lab - lab[first], axis=1)
    second = int(
        np.flatnonzero((to_first >= 28) & (to_background >= 0.55 * contrast) | (to_first == to_first.max()))[0]
    )
    return candidates[[first, second]]


def other_shade(
    rng: np.random.Generator,
    colours: NDArray[np.float64],
    background: NDArray[np.float64],
    distance: tuple[float, float],
    contrast: float,
) -> NDArray[np.float64]:
    """Both `colours`, BGR [2, 3], moved alike in CIELAB by a `distance` (lowest, highest), or nearly so.

    The first keeps at least three quarters of the `contrast` to every background colour, if it can.
    """
    lab, surroundings = bgr_to_lab(colours), bgr_to_lab(background)
    directions = rng.normal(0, 1, (64, 3))
    moves = rng.uniform(*distance) * directions / np.linalg.norm(directions, axis=1)[:, None]
    shades = np.array([lab_to_bgr(lab + move) for move in moves])
    seen = np.array([bgr_to_lab(shade) for shade in shades])
    # A colour outside the gamut is clipped, and may then be nearer or farther than it was meant to be.
    moved = np.linalg.norm(seen - lab, axis=2)
    amiss = np.maximum(np.maximum(distance[0] - moved, moved - distance[1]), 0).max(axis=1)
    apart = np.linalg.norm(seen[:, :1] - surroundings, axis=2).min(axis=1)
    fit = np.flatnonzero((amiss == 0) & (apart >= 0.75 * contrast))
    return np.asarray(shades[fit[0] if fit.size else amiss.argmin()], dtype=np.float64)


def object_texture(rng: np.random.Generator, pattern: str, colours: NDArray[np.float64]) -> Image:
    """A square texture [TEXTURE_SIZE, TEXTURE_SIZE, 3] of one of the `PATTERNS` in two colours."""
    mix = np.clip(_pattern(rng, pattern, TEXTURE_SIZE), 0, 1)[..., None]
    shade = 1 + 0.12 * (fractal_noise(rng, TEXTURE_SIZE, TEXTURE_SIZE, 4, 3)[..., None] - 0.5)
    texture = (colours[0] * (1 - mix) + colours[1] * mix) * shade
    return np.asarray(np.clip(texture, 0, 255), dtype=np.float32)


def background_plate(rng: np.random.Generator, colours: NDArray[np.float64], height: int, width: int) -> Image:
    """Multi-octave noise between the three `colours`, a gradient, and irregular patches with faint patterns."""
    first = _stretch(fractal_noise(rng, height, width, 3, 6))
    second = _stretch(fractal_noise(rng, height, width, 4, 5))
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    ramp = 0.5 + 0.5 * (np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5))
    first = (0.65 * first + 0.35 * ramp)[..., None]
    second = second[..., None] * rng.uniform(0.4, 0.9)
    plate = (colours[0] * (1 - first) + colours[1] * first) * (1 - second) + colours[2] * second
    for _ in range(int(rng.integers(4, 10))):
        _paint_patch(rng, plate, colours)
    grain = rng.normal(0, rng.uniform(2, 7), (height, width, 1))
    return np.asarray(np.clip(plate + grain, 0, 255), dtype=np.float32)


def fractal_noise(rng: np.random.Generator, height: int, width: int, coarsest: int, octaves: int) -> Field:
    """Sum of `octaves` of smooth noise, [H, W], about 0 to 1; the coarsest has `coarsest` cells along the height."""
    field = np.zeros((height, width), dtype=np.float32)
    total = 0.0
    for octave in range(octaves):
        rows = min(coarsest * 2**octave, height)
        columns = min(max(round(rows * width / height), 2), width)
        amplitude = 0.62**octave
        cells = rng.random((rows, columns), dtype=np.float32)
        upsampled = np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
        field += amplitude * upsampled
        total += amplitude
    return field / total


def _pattern(rng: np.random.Generator, pattern: str, side: int) -> Field:
    """Mixing weight of the second colour, [side, side]."""
    angle = rng.uniform(0, np.pi)
    grid = np.linspace(-1, 1, side, dtype=np.float32)
    u = np.cos(angle) * grid[None] + np.sin(angle) * grid[:, None]
    v = -np.sin(angle) * grid[None] + np.cos(angle) * grid[:, None]
    frequency = rng.uniform(2.2, 4.2)
    phase = rng.uniform(0, 2 * np.pi)
    if pattern == "stripes":
        return _soft_step(np.sin(np.pi * frequency * u + phase))
    if pattern == "checks":
        return _soft_step(np.sin(np.pi * frequency * u + phase) * np.sin(np.pi * frequency * v + phase), 12)
    if pattern == "dots":
        return _soft_step(np.cos(np.pi * frequency * u) * np.cos(np.pi * frequency * v) - 0.35, 12)
    if pattern == "noise":
        return _soft_step(fractal_noise(rng, side, side, 8, 3) - 0.5, 24)
    if pattern == "gradient":
        return np.asarray(0.5 + 0.7 * u, dtype=np.float32)
    if pattern == "two_tone":
        return _soft_step(u - 0.15 * np.sin(phase), 40)
    return np.full((side, side), 0.15, dtype=np.float32)


def _soft_step(values: NDArray[np.floating], steepness: float = 8.0) -> Field:
    return np.asarray(np.clip(0.5 + 0.5 * steepness * values, 0, 1), dtype=np.float32)


def _stretch(field: Field) -> Field:
    low, high = np.percentile(field, [3, 97])
    return np.asarray(np.clip((field - low) / (high - low), 0, 1), dtype=np.float32)


def _paint_patch(rng: np.random.Generator, plate: NDArray[np.float64], colours: NDArray[np.float64]) -> None:
    height, width = plate.shape[:2]
    radius = rng.uniform(15, 55)
    contour = irregular_contour(rng) * radius * rng.uniform(0.6, 1.4, 2) + rng.uniform([0, 0], [width, height])
    alpha = np.zeros((height, width), dtype=np.float32)
    cv2.fillPoly(alpha, [np.round(contour).astype(np.int32)], (float(rng.uniform(0.3, 0.75)),))
    soft = cv2.GaussianBlur(alpha, (0, 0), float(rng.uniform(1.0, 5.0)))[..., None]
    pair = colours[rng.permutation(3)[:2]] * rng.uniform(0.8, 1.2)
    texture = object_texture(rng, str(rng.choice(PATTERNS)), pair)
    wide = np.asarray(cv2.resize(texture, (width, width), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    plate += np.asarray(soft * (wide[:height] - plate), dtype=np.float64)
