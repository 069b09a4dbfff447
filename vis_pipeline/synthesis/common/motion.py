"""Paths and poses: where an object is, how it is turned and sized, at any (fractional) frame time."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Point = NDArray[np.float64]

_FAR = 1e5


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


class Trajectory(Protocol):
    """Where a body's centre is at any time."""

    def at(self, time: float) -> Point:
        """Position x, y at a time."""
        ...


@dataclass(frozen=True)
class Visit:
    """The frames from `start` to before `stop` for which a body is there, and its way through them."""

    start: int
    stop: int
    path: Path


@dataclass(frozen=True)
class Itinerary:
    """The visits of a body, in order; between them, it is nowhere near the frame."""

    visits: tuple[Visit, ...]

    def at(self, time: float) -> Point:
        """Position x, y at a time; a visit reaches half a frame beyond its first and last one."""
        for visit in self.visits:
            if visit.start - 0.5 <= time < visit.stop - 0.5:
                return visit.path.at(time)
        return np.array([-_FAR, -_FAR])


@dataclass(frozen=True)
class Wave:
    """`mean + rate * (t - centre) + amplitude * sin(frequency * t + phase)`."""

    mean: float
    amplitude: float = 0.0
    frequency: float = 0.0
    phase: float = 0.0
    rate: float = 0.0
    centre: float = 0.0

    def at(self, time: float) -> float:
        """Value at a time in frames."""
        drift = self.rate * (time - self.centre)
        return self.mean + drift + self.amplitude * float(np.sin(self.frequency * time + self.phase))


@dataclass(frozen=True)
class Pose:
    """How a body is turned and sized: all but its place.

    `size` is the square root of the area in pixels, `angle` in radians, `stretch` the ratio of the axes (area kept).
    """

    size: Wave
    angle: Wave
    stretch: Wave

    def matrix(self, time: float) -> NDArray[np.float64]:
        """Unit-area shape coordinates to pixels about the centre, float64 [2, 2]."""
        angle, ratio = self.angle.at(time), np.sqrt(self.stretch.at(time))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return np.asarray(self.size.at(time) * turn * np.array([ratio, 1 / ratio]))


@dataclass(frozen=True)
class Stage:
    """Where and how fast objects move: a frame of `width` x `height` pixels for `length` frames.

    Attributes:
        speed: lowest and highest of an object's centre, pixels per frame.
        unit: pixels that a pixel of a frame of 320x192 is here; margins grow with it.
    """

    width: int
    height: int
    length: int
    speed: tuple[float, float]
    unit: float = 1.0

    def holds(self, point: Point, margin: float = 15.0) -> bool:
        """Whether a point is inside the frame, `margin` units away from its edges."""
        inset = margin * self.unit
        return bool((point > inset).all() and point[0] < self.width - inset and point[1] < self.height - inset)


def wandering_path(rng: np.random.Generator, stage: Stage, start: Point) -> Path:
    """From `start`, a curve of changing heading that turns back before the frame's edge."""
    step = stage.length / 3
    speed = rng.uniform(*stage.speed)
    heading = rng.uniform(0, 2 * np.pi)
    points = [start]
    for _ in range(3):
        heading += rng.normal(0, 0.7)
        points.append(_step_inside(stage, points[-1], heading, speed * step))
    return Path(np.linspace(0.0, stage.length, 4, dtype=np.float64), np.array(points))


def path_through(rng: np.random.Generator, stage: Stage, point: Point, time: float) -> Path:
    """A bent path that is at `point` at `time`, with its ends inside the frame."""
    speed = rng.uniform(np.mean(stage.speed), stage.speed[1])
    heading = rng.uniform(0, 2 * np.pi)
    before = _step_inside(stage, point, heading, speed * time)
    after = _step_inside(stage, point, heading + np.pi + rng.normal(0, 0.6), speed * (stage.length - time))
    return Path(np.array([0.0, time, stage.length]), np.array([before, point, after]))


def returning_path(rng: np.random.Generator, stage: Stage, radius: float) -> Path:
    """Leaves the frame over one edge wholly (a body of `radius`) for some frames and comes back over it."""
    frame = np.array([stage.width, stage.height], dtype=np.float64)
    axis = int(rng.integers(2)) if rng.random() < 0.5 else 0
    along = 1 - axis
    far_side = bool(rng.integers(2))
    leave = rng.uniform(0.32, 0.45) * stage.length
    back = leave + rng.uniform(2.5, 4.5) * min(1.0, stage.length / 24)
    inside = rng.uniform(0.8 * radius, 0.8 * radius + 6 * stage.speed[1], 2)
    across = [inside[0], -radius, -radius, inside[1]]
    lane = rng.uniform(0.2, 0.8) * frame[along]
    drift = np.cumsum(rng.uniform(-1, 1, 4) * [0, 25, 15, 30]) * stage.unit
    points = np.zeros((4, 2))
    points[:, axis] = frame[axis] - np.array(across) if far_side else across
    points[:, along] = np.clip(lane + drift, 0.12 * frame[along], 0.88 * frame[along])
    return Path(np.array([0.0, leave, back, stage.length]), points)


def edge_point(rng: np.random.Generator, stage: Stage, size: float) -> Point:
    """A point on, or a little beyond, one of the four edges: a body there is about half out of the frame."""
    frame = np.array([stage.width, stage.height], dtype=np.float64)
    axis = int(rng.integers(2))
    point = rng.uniform(0.2, 0.8, 2) * frame
    beyond = rng.uniform(0.0, 0.2) * size
    point[axis] = frame[axis] + beyond if rng.integers(2) else -beyond
    return np.asarray(point)


def free_place(rng: np.random.Generator, stage: Stage, taken: list[Point]) -> Point:
    """The one of a few random places inside the frame that is farthest from those taken."""
    places = rng.uniform([0.12, 0.18], [0.88, 0.82], (6, 2)) * [stage.width, stage.height]
    if not taken:
        return np.asarray(places[0])
    distances = np.linalg.norm(places[:, None] - np.array(taken)[None], axis=2).min(axis=1)
    return np.asarray(places[distances.argmax()])


def _step_inside(stage: Stage, point: Point, heading: float, distance: float) -> Point:
    """Go `distance` on `heading`, mirrored at a margin inside the frame's edges."""
    margin = 22.0 * stage.unit
    high = np.array([stage.width, stage.height]) - margin
    target = point + distance * np.array([np.cos(heading), np.sin(heading)])
    target = np.where(target < margin, 2 * margin - target, target)
    target = np.where(target > high, 2 * high - target, target)
    return np.asarray(np.clip(target, margin, high))
