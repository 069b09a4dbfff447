"""Forms: how an object is turned, sized and bent at any (fractional) frame time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.synthesis.common.motion import Pose, Wave
from vis_pipeline.synthesis.procedural.settings import VideoSettings
from vis_pipeline.synthesis.procedural.shapes import Contours

# A longer video has an object grow no more than one of this length, in frames.
_USUAL_LENGTH = 24


@dataclass(frozen=True)
class Form(Pose):
    """A pose with `bends`: radial waves of 2 and 3 periods around the outline."""

    bends: tuple[Wave, Wave]

    def bend(self, contours: Contours, time: float) -> Contours:
        """The outline in shape coordinates, bent as it is at `time`."""
        return tuple(self._bend(contour, time) for contour in contours)

    def _bend(self, contour: NDArray[np.float64], time: float) -> NDArray[np.float64]:
        around = np.arctan2(contour[:, 1], contour[:, 0])
        factor = np.ones(len(contour))
        for periods, wave in zip((2, 3), self.bends, strict=True):
            factor += wave.amplitude * np.sin(periods * around + wave.frequency * time + wave.phase)
        return contour * factor[:, None]


def random_form(rng: np.random.Generator, settings: VideoSettings, size: float) -> Form:
    """A form about `size` (square root of the area at mid-video, pixels) with mild deformation."""

    def phase() -> float:
        return float(rng.uniform(0, 2 * np.pi))

    middle = settings.length / 2
    return Form(
        size=Wave(size, size * rng.uniform(0.03, 0.1), rng.uniform(0.15, 0.3), phase(),
                  size * rng.uniform(-0.010, 0.010) * _USUAL_LENGTH / settings.length, middle),
        angle=Wave(phase(), rng.uniform(0, 0.3), rng.uniform(0.1, 0.3), phase(),
                   rng.uniform(-settings.spin, settings.spin), middle),
        stretch=Wave(rng.uniform(0.9, 1.12), rng.uniform(0, 0.08), rng.uniform(0.1, 0.35), phase()),
        bends=(Wave(0, rng.uniform(0, 0.04), rng.uniform(-0.3, 0.3), phase()),
               Wave(0, rng.uniform(0, 0.04), rng.uniform(-0.3, 0.3), phase())),
    )  # fmt: skip


def still_form(size: float, angle: float) -> Form:
    """A rigid body that does not turn: a piece of the background."""
    steady = Wave(0, 0, 0, 0)
    return Form(Wave(size, 0, 0, 0), Wave(angle, 0, 0, 0), Wave(1, 0, 0, 0), (steady, steady))
