"""Who goes where: a path for each cut-out, and who is in front of whom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vis_pipeline.synthesis.common import motion
from vis_pipeline.synthesis.common.motion import Path, Point, Stage
from vis_pipeline.synthesis.composed.settings import ComposeSettings


@dataclass(frozen=True)
class Choreography:
    """A path for each body, and their depth order: indices, the farthest first."""

    paths: tuple[Path, ...]
    order: tuple[int, ...]


def choreograph(
    rng: np.random.Generator,
    settings: ComposeSettings,
    sizes: Sequence[float],
    radii: Sequence[float],
    lookalikes: Sequence[int],
) -> Choreography:
    """Paths of bodies with these sizes and radii in pixels; those in `lookalikes` look alike and like to meet.

    Larger bodies tend to be farther away, so that few are hidden throughout.
    """
    stage = settings.stage
    order = [int(body) for body in np.argsort(-np.log(sizes) + rng.normal(0, 0.5, len(sizes)), kind="stable")]
    paths: dict[int, Path] = {}
    for body in rng.permutation(len(sizes)).tolist():
        role = _role(rng, settings, alike=len(lookalikes) > 1 and body in lookalikes)
        partners = [other for other in paths if body in lookalikes and other in lookalikes] or list(paths)
        time = rng.uniform(0.3, 0.7) * settings.length
        meetings = [paths[other].at(time) for other in partners]
        meetings = [point for point in meetings if stage.holds(point)]
        if role == "crossing" and meetings:
            meeting = meetings[int(rng.integers(len(meetings)))] + rng.normal(0, 0.15, 2) * sizes[body]
            paths[body] = motion.path_through(rng, stage, meeting, time)
        elif role == "returning":
            paths[body] = motion.returning_path(rng, stage, radii[body])
        elif role == "entering":
            paths[body] = entering_path(rng, stage, radii[body])
        elif role == "leaving":
            paths[body] = reversed_path(entering_path(rng, stage, radii[body]), stage.length)
        elif role == "edge":
            paths[body] = motion.path_through(rng, stage, motion.edge_point(rng, stage, sizes[body]), time)
        else:
            start = motion.free_place(rng, stage, [path.at(0) for path in paths.values()])
            paths[body] = motion.wandering_path(rng, stage, start)
    return Choreography(tuple(paths[body] for body in range(len(sizes))), tuple(order))


def entering_path(rng: np.random.Generator, stage: Stage, radius: float) -> Path:
    """Comes in over an edge, some time after the beginning, and goes on inside; a body of `radius`."""
    frame = np.array([stage.width, stage.height], dtype=np.float64)
    axis = int(rng.random() < 0.3)
    along = 1 - axis
    enters = rng.uniform(0.05, 0.45) * stage.length
    speed = rng.uniform(np.mean(stage.speed), stage.speed[1])
    # Fast enough to be seen: most of it is inside by the end.
    reach = max(speed * (stage.length - enters), 1.7 * radius)
    end = min(reach - radius, 0.85 * frame[axis])
    times = np.array([0.0, enters, 0.5 * (enters + stage.length), stage.length])
    across = np.array([-radius - 0.6 * reach * enters / (stage.length - enters), -radius, 0.5 * (end - radius), end])
    if rng.integers(2):
        across = frame[axis] - across
    lane = rng.uniform(0.25, 0.75) * frame[along]
    drift = np.cumsum(rng.uniform(-1, 1, 4) * 0.35 * speed * stage.length / 4)
    points = np.zeros((4, 2))
    points[:, axis] = across
    points[:, along] = np.clip(lane + drift, 0.12 * frame[along], 0.88 * frame[along])
    return Path(times, points)


def reversed_path(path: Path, length: float) -> Path:
    """The path run backwards over `length` frames."""
    return Path(length - path.times[::-1], path.points[::-1])


def meeting_point(rng: np.random.Generator, stage: Stage, path: Path) -> tuple[Point, float] | None:
    """Where and when a body on this path is well inside the frame, at a random time; None if it is not then."""
    time = float(rng.uniform(0.25, 0.75) * stage.length)
    point = path.at(time)
    return (point, time) if stage.holds(point) else None


def _role(rng: np.random.Generator, settings: ComposeSettings, alike: bool) -> str:
    chances = {
        "crossing": settings.crossing * (1.6 if alike else 1.0),
        "returning": settings.returning,
        "entering": settings.entering,
        "leaving": settings.leaving,
        "edge": settings.edge,
    }
    names = [*chances, "wandering"]
    weights = np.array([*chances.values(), max(1 - sum(chances.values()), 0.0)])
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]
