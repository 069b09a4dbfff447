"""Paths and poses: where an object is, how it is turned, sized and bent at any (fractional) frame time."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from vis_pipeline.data.procedural.settings import SceneSettings
from vis_pipeline.data.procedural.shapes import Contours

Point = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """A smooth curve through `points` (float64 [K, 2], x, y in pixels) at `times` (float64 [K], frames, rising)."""

    times: NDArray[np.float64]
    points: NDArray[np.float64]

    @cached_property
    def _spline(self) -> CubicSpline:
        return CubicSpline(self.times, self.points, bc_type="natural")

    def at(self, time: float) -> Point:
        """Position x, y at a time."""
        return np.asarray(self._spline(time), dtype=np.float64)


@dataclass(frozen=True)
class Wave:
    """`mean + rate * (t - centre) + amplitude * sin(frequency * t + phase)`."""

    mean: float
    amplitude: float
    frequency: float
    phase: float
    rate: float = 0.0
    centre: float = 0.0

    def at(self, time: float) -> float:
        """Value at a time in frames."""
        drift = self.rate * (time - self.centre)
        return self.mean + drift + self.amplitude * float(np.sin(self.frequency * time + self.phase))


@dataclass(frozen=True)
class Form:
    """How a body turns, grows and bends: all but its place.

    `size` is the square root of the area in pixels, `angle` in radians, `stretch` the ratio of the axes
    (area kept), `bends` radial waves of 2 and 3 periods around the outline.
    """

    size: Wave
    angle: Wave
    stretch: Wave
    bends: tuple[Wave, Wave]

    def matrix(self, time: float) -> NDArray[np.float64]:
        """Unit-area shape coordinates to pixels about the centre, float64 [2, 2]."""
        angle, ratio = self.angle.at(time), np.sqrt(self.stretch.at(time))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return np.asarray(self.size.at(time) * turn * np.array([ratio, 1 / ratio]))

    def bend(self, contours: Contours, time: float) -> Contours:
        """The outline in shape coordinates, bent as it is at `time`."""
        return tuple(self._bend(contour, time) for contour in contours)

    def _bend(self, contour: NDArray[np.float64], time: float) -> NDArray[np.float64]:
        around = np.arctan2(contour[:, 1], contour[:, 0])
        factor = np.ones(len(contour))
        for periods, wave in zip((2, 3), self.bends, strict=True):
            factor += wave.amplitude * np.sin(periods * around + wave.frequency * time + wave.phase)
        return contour * factor[:, None]


def random_form(rng: np.random.Generator, settings: SceneSettings, size: float) -> Form:
    """A form about `size` (square root of the area at mid-video, pixels) with mild deformation."""

    def phase() -> float:
        return float(rng.uniform(0, 2 * np.pi))

    middle = settings.length / 2
    return Form(
        size=Wave(size, size * rng.uniform(0.03, 0.1), rng.uniform(0.15, 0.3), phase(),
                  size * rng.uniform(-0.010, 0.010), middle),
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


def wandering_path(rng: np.random.Generator, settings: SceneSettings, start: Point) -> Path:
    """From `start`, a curve of changing heading that turns back before the frame's edge."""
    step = settings.length / 3
    speed = rng.uniform(*settings.speed)
    heading = rng.uniform(0, 2 * np.pi)
    points = [start]
    for _ in range(3):
        heading += rng.normal(0, 0.7)
        points.append(_step_inside(settings, points[-1], heading, speed * step))
    return Path(np.linspace(0.0, settings.length, 4, dtype=np.float64), np.array(points))


def path_through(rng: np.random.Generator, settings: SceneSettings, point: Point, time: float) -> Path:
    """A bent path that is at `point` at `time`, with its ends inside the frame."""
    speed = rng.uniform(np.mean(settings.speed), settings.speed[1])
    heading = rng.uniform(0, 2 * np.pi)
    before = _step_inside(settings, point, heading, speed * time)
    after = _step_inside(settings, point, heading + np.pi + rng.normal(0, 0.6), speed * (settings.length - time))
    return Path(np.array([0.0, time, settings.length]), np.array([before, point, after]))


def returning_path(rng: np.random.Generator, settings: SceneSettings, radius: float) -> Path:
    """Leaves the frame over one edge wholly (a body of `radius`) for some frames and comes back over it."""
    frame = np.array([settings.width, settings.height], dtype=np.float64)
    axis = int(rng.integers(2)) if rng.random() < 0.5 else 0
    along = 1 - axis
    far_side = bool(rng.integers(2))
    leave = rng.uniform(0.32, 0.45) * settings.length
    back = leave + rng.uniform(2.5, 4.5)
    inside = rng.uniform(0.8 * radius, 0.8 * radius + 6 * settings.speed[1], 2)
    across = [inside[0], -radius, -radius, inside[1]]
    lane = rng.uniform(0.2, 0.8) * frame[along]
    lanes = np.clip(lane + np.cumsum(rng.uniform(-1, 1, 4) * [0, 25, 15, 30]), 0.12 * frame[along], 0.88 * frame[along])
    points = np.zeros((4, 2))
    points[:, axis] = frame[axis] - np.array(across) if far_side else across
    points[:, along] = lanes
    return Path(np.array([0.0, leave, back, settings.length]), points)


def edge_point(rng: np.random.Generator, settings: SceneSettings, size: float) -> Point:
    """A point on, or a little beyond, one of the four edges: a body there is about half out of the frame."""
    frame = np.array([settings.width, settings.height], dtype=np.float64)
    axis = int(rng.integers(2))
    point = rng.uniform(0.2, 0.8, 2) * frame
    beyond = rng.uniform(0.0, 0.2) * size
    point[axis] = frame[axis] + beyond if rng.integers(2) else -beyond
    return np.asarray(point)


def _step_inside(settings: SceneSettings, point: Point, heading: float, distance: float) -> Point:
    """Go `distance` on `heading`, mirrored at a margin inside the frame's edges."""
    margin = 22.0
    high = np.array([settings.width, settings.height]) - margin
    target = point + distance * np.array([np.cos(heading), np.sin(heading)])
    target = np.where(target < margin, 2 * margin - target, target)
    target = np.where(target > high, 2 * high - target, target)
    return np.asarray(np.clip(target, margin, high))
