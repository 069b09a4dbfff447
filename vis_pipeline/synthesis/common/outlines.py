"""Outlines of background pieces that pass in front of objects."""

import numpy as np
from numpy.typing import NDArray


def irregular_contour(rng: np.random.Generator, roughness: float = 0.25) -> NDArray[np.float64]:
    """A closed blob of radius about 1, float64 [64, 2]: the outline of background pieces, like no category."""
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    radii = np.ones(64)
    for frequency in range(2, 7):
        radii += roughness * rng.normal() / np.sqrt(frequency) * np.sin(frequency * angles + rng.uniform(0, 2 * np.pi))
    return np.asarray(np.clip(radii, 0.35, 1.8)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1))
