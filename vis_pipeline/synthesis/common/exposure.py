"""What a camera adds: the time for which its shutter is open, and its sensor's noise."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_MOST_EXPOSURES = 6
_PIXELS_PER_EXPOSURE = 1.6
_SPARE = 32


def exposure_times(frame: int, shutter: float, count: int) -> NDArray[np.float64]:
    """`count` moments spread evenly over the exposure, whose middle is the frame's time."""
    return frame + shutter * ((np.arange(count) + 0.5) / count - 0.5)


def exposures_for(travel: float) -> int:
    """How many moments show a motion of `travel` pixels as a blur without steps."""
    return int(np.clip(np.ceil(travel / _PIXELS_PER_EXPOSURE), 1, _MOST_EXPOSURES))


def sensor_noise(
    rng: np.random.Generator, height: int, width: int, length: int, deviation: float
) -> Iterator[NDArray[np.float32]]:
    """Noise for each of `length` frames, float32 [H, W, 3]: windows of one larger field, drawn at the first."""
    shape = (height + _SPARE, width + _SPARE, 3)
    noise = rng.standard_normal(shape, dtype=np.float32) * np.float32(deviation)
    for top, left in rng.integers(0, _SPARE + 1, (length, 2)):
        yield noise[top : top + height, left : left + width]
