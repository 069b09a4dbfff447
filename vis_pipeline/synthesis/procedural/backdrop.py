"""What is behind the objects, and the pieces of it that stand before them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.synthesis.common.motion import Path, Point
from vis_pipeline.synthesis.procedural import forms, textures
from vis_pipeline.synthesis.procedural.layers import Body
from vis_pipeline.synthesis.procedural.settings import VideoSettings
from vis_pipeline.synthesis.procedural.textures import Image


@dataclass(frozen=True)
class Backdrop:
    """A plate that the frame pans over.

    Attributes:
        colours: of the plate, BGR [3, 3].
        path: displacement of the frame over the plate, pixels.
    """

    colours: NDArray[np.float64]
    plate: Image
    path: Path

    def piece(
        self,
        rng: np.random.Generator,
        contour: NDArray[np.float64],
        angle: float,
        texture_extent: float,
        place: Point,
        time: float,
    ) -> Body:
        """A rigid body in the plate's colours, fixed to it; its centre is at `place` of the frame at `time`."""
        colours = np.clip(self.colours[rng.permutation(3)[:2]] * rng.uniform(0.55, 1.4), 0, 255)
        texture = textures.object_texture(rng, str(rng.choice(textures.PATTERNS)), colours)
        points = place - (self.path.points - self.path.at(time))
        return Body((contour,), forms.still_form(1.0, angle), Path(self.path.times, points), texture, texture_extent)


def draw_backdrop(rng: np.random.Generator, settings: VideoSettings, colours: NDArray[np.float64]) -> Backdrop:
    """A plate of these colours, BGR [3, 3], large enough for its pan."""
    path = _pan(rng, settings)
    margin = 2 * int(np.abs(path.points).max() + 4)
    plate = textures.background_plate(rng, colours, settings.height + margin, settings.width + margin)
    return Backdrop(colours, plate, path)


def _pan(rng: np.random.Generator, settings: VideoSettings) -> Path:
    """Displacement of the frame over the background plate, pixels, starting and turning about 0."""
    step = settings.length / 3
    heading = rng.uniform(0, 2 * np.pi)
    points: list[Point] = [np.zeros(2)]
    for _ in range(3):
        heading += rng.normal(0, 0.5)
        points.append(points[-1] + step * rng.uniform(0.1, settings.pan) * np.array([np.cos(heading), np.sin(heading)]))
    return Path(np.linspace(0.0, settings.length, 4, dtype=np.float64), np.array(points) - np.mean(points, axis=0))
