"""Planning a scene of objects that are absent for an exact time and return elsewhere, while their lookalikes stay.

The objects are placed from the nearest to the farthest: what stands before an object is known when its way is drawn,
so that it can be drawn until it shows the object in every frame of its visits, and nothing that comes later hides it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.synthesis.common.motion import Itinerary, Path, Point, Visit
from vis_pipeline.synthesis.common.outlines import irregular_contour
from vis_pipeline.synthesis.common.visibility import MIN_VISIBLE_PIXELS
from vis_pipeline.synthesis.procedural import shapes, textures
from vis_pipeline.synthesis.procedural.absences import plan_absences, stays
from vis_pipeline.synthesis.procedural.backdrop import Backdrop, draw_backdrop
from vis_pipeline.synthesis.procedural.cast import Character, draw_pairs
from vis_pipeline.synthesis.procedural.layers import Body, coverage, outline_area, window_around
from vis_pipeline.synthesis.procedural.scene import DrawnScene, see
from vis_pipeline.synthesis.procedural.settings import ReturnsSettings

_SCENES = 20
_ATTEMPTS = 200
# Of a visit's frames so large a share shows so much of the body.
_CLEAR_SHARE = 0.6
_CLEAR = 0.6
# What shows of a body that has just come out of its hiding place, and in what steps it comes out, in pixels.
_PEEPING_PIXELS = 2 * MIN_VISIBLE_PIXELS
_STEP = 1.5
# Frames between two turns of a way, its distance from the frame's edges, and how far it may exceed the highest speed.
_LEG = 14.0
_MARGIN = 24.0
_HASTE = 1.5


class _NoWayError(Exception):
    """A body found no way on which it shows."""


@dataclass(frozen=True)
class _Door:
    """Where a body is in the first or last frame of a visit, and the direction, of length 1, into the open from there.

    There is no direction where it appears or vanishes in the open.
    """

    place: Point
    inwards: Point | None = None


def plan_returns(rng: np.random.Generator, settings: ReturnsSettings, first_category: int) -> DrawnScene:
    """Draw a scene; `first_category` turns with the video, so that a split has all categories and all absences."""
    colours = textures.background_colours(rng)
    pairs = int(rng.integers(settings.pairs[0], settings.pairs[1] + 1))
    cast = draw_pairs(rng, settings, pairs, first_category, colours)
    backdrop = draw_backdrop(rng, settings, colours)
    for _ in range(_SCENES):
        covers = _covers(rng, settings, cast, backdrop)
        nearest_first = [int(track) for track in rng.permutation(len(cast))]
        absences = [plan_absences(rng, settings, first_category * pairs + pair) for pair in range(pairs)]
        ways = _Ways(settings, covers)
        bodies: dict[int, Body] = {}
        try:
            for track in nearest_first:
                frames = stays(absences[track // 2], track % 2, settings.length)
                bodies[track] = ways.place(rng, cast[track], frames)
        except _NoWayError:
            continue
        ordered = tuple(bodies[track] for track in range(len(cast)))
        depth_order = tuple(reversed(nearest_first))
        visibility = see(settings, ordered, covers, depth_order)
        names = tuple(who.category for who in cast)
        return DrawnScene(names, ordered, covers, depth_order, visibility, tuple(range(len(cast))), backdrop)
    raise RuntimeError(f"no scene of returns was found in {_SCENES} attempts; the settings leave too little room")


def _covers(
    rng: np.random.Generator, settings: ReturnsSettings, cast: Sequence[Character], backdrop: Backdrop
) -> tuple[Body, ...]:
    """Background pieces large enough to hide each of the cast, side by side."""
    radius = 0.9 * max(who.radius for who in cast)
    pieces = []
    for number in range(settings.occluders):
        column = (number + rng.uniform(0.3, 0.7)) / settings.occluders
        place = np.array([column * settings.width, rng.uniform(0.25, 0.75) * settings.height])
        contour = irregular_contour(rng, 0.1) * radius
        pieces.append(backdrop.piece(rng, contour, 0.0, 1.9 * radius, place, settings.length / 2))
    return tuple(pieces)


class _Ways:
    """Draws ways on which bodies show, each behind all those before it; knows the pixels that these have taken."""

    def __init__(self, settings: ReturnsSettings, covers: tuple[Body, ...]) -> None:
        self._settings, self._covers = settings, covers
        self._taken = np.zeros((settings.length, settings.height, settings.width), dtype=np.bool_)
        for cover in covers:
            for frame in range(settings.length):
                self._take(cover, frame)

    def place(self, rng: np.random.Generator, who: Character, frames: Sequence[tuple[int, int]]) -> Body:
        """A body with one visit for each of the `frames` (start, stop), all behind those placed before it.

        Raises:
            _NoWayError: none was found.
        """
        extent = 1.25 * shapes.extent(who.category)
        body = Body(shapes.outline(who.category), who.form, Itinerary(()), who.texture, extent)
        visits: list[Visit] = []
        left_at: Point | None = None
        for start, stop in frames:
            visit, left_at = self._visit(rng, body, who.radius, start, stop, left_at)
            visits.append(visit)
        body = replace(body, path=Itinerary(tuple(visits)))
        for start, stop in frames:
            for frame in range(start, stop):
                self._take(body, frame)
        return body

    def _visit(
        self, rng: np.random.Generator, body: Body, radius: float, start: int, stop: int, left_at: Point | None
    ) -> tuple[Visit, Point]:
        """A visit that shows the body in all its frames, begun elsewhere than `left_at`, and where it is last seen."""
        least = self._settings.elsewhere * self._settings.width
        for _ in range(_ATTEMPTS):
            entrance = self._door(rng, body, radius, start, in_the_open=start == 0)
            exit_ = self._door(rng, body, radius, stop - 1, in_the_open=stop == self._settings.length)
            if entrance is None or exit_ is None:
                continue
            path = self._way(rng, entrance, exit_, start, stop)
            if path is None:
                continue
            visit = Visit(start, stop, path)
            seen = self._seen(replace(body, path=Itinerary((visit,))), start, stop)
            if seen is None:
                continue
            first, last = seen
            if left_at is None or np.linalg.norm(first - left_at) >= least:
                return visit, last
        raise _NoWayError

    def _seen(self, body: Body, start: int, stop: int) -> tuple[Point, Point] | None:
        """Centres of what is seen first and last; None where the body is not seen in each frame, or seldom clearly."""
        clear = 0
        centres: list[Point] = []
        for frame in range(start, stop):
            shown, fraction = self._shown(body, frame)
            if len(shown) < MIN_VISIBLE_PIXELS:
                return None
            clear += fraction > _CLEAR
            centres.append(shown.mean(axis=0))
        return (centres[0], centres[-1]) if clear >= _CLEAR_SHARE * (stop - start) else None

    def _shown(self, body: Body, frame: int) -> tuple[Point, float]:
        """The pixels x, y, float64 [P, 2], in which a body shows, and their part of its area."""
        outline = body.outline_at(frame)
        window = window_around([outline], self._settings.height, self._settings.width)
        if window is None:
            return np.zeros((0, 2)), 0.0
        shown = (coverage(outline, window) > 0.5) & ~self._taken[frame][window.slices]
        rows, columns = np.nonzero(shown)
        pixels = np.column_stack([columns + window.left, rows + window.top]).astype(np.float64)
        return pixels, len(rows) / outline_area(outline)

    def _take(self, body: Body, frame: int) -> None:
        outline = body.outline_at(frame)
        window = window_around([outline], self._settings.height, self._settings.width)
        if window is not None:
            self._taken[frame][window.slices] |= coverage(outline, window) > 0.5

    def _door(self, rng: np.random.Generator, body: Body, radius: float, frame: int, in_the_open: bool) -> _Door | None:
        """A place to come or go: in the open, over the frame's border, or from a cover; None where it does not show."""
        frame_size = np.array([self._settings.width, self._settings.height], dtype=np.float64)
        kind = "open" if in_the_open else str(rng.choice(["open", "border", "cover"]))
        if kind == "open":
            return _Door(rng.uniform(_MARGIN, frame_size - _MARGIN))
        if kind == "border":
            axis, far = int(rng.integers(2)), bool(rng.integers(2))
            inwards = np.zeros(2)
            inwards[axis] = -1.0 if far else 1.0
            hidden = rng.uniform(0.15, 0.85, 2) * frame_size
            hidden[axis] = frame_size[axis] + radius if far else -radius
        else:
            cover = self._covers[int(rng.integers(len(self._covers)))]
            hidden = cover.path.at(frame)
            heading = rng.uniform(0, 2 * np.pi)
            inwards = np.array([np.cos(heading), np.sin(heading)])
        for step in range(int(4 * radius / _STEP)):
            place = hidden + step * _STEP * inwards
            still = Itinerary((Visit(frame, frame + 1, Path(np.array([0.0, 1.0]), np.array([place, place]))),))
            if len(self._shown(replace(body, path=still), frame)[0]) >= _PEEPING_PIXELS:
                return _Door(place, inwards)
        return None

    def _way(self, rng: np.random.Generator, entrance: _Door, exit_: _Door, start: int, stop: int) -> Path | None:
        """A bent way from one door to the other; None where it would have to hurry."""
        slow, fast = self._settings.speed
        legs = max(round((stop - 1 - start) / _LEG), 2)
        times = np.linspace(start, stop - 1, legs + 1)
        stride = rng.uniform(slow, fast) * (times[1] - times[0])
        # A random walk that is pulled to end at the exit.
        walk = np.cumsum(rng.normal(0, stride, (legs + 1, 2)), axis=0)
        pull = np.linspace(entrance.place - walk[0], exit_.place - walk[-1], legs + 1)
        points = self._folded(walk + pull)
        for index, door in ((1, entrance), (legs - 1, exit_)):
            if door.inwards is not None:
                points[index] = self._folded(door.place + stride * door.inwards)
        points[0], points[-1] = entrance.place, exit_.place
        path = Path(times, points)
        places = np.array([path.at(time) for time in range(start, stop)])
        return path if np.linalg.norm(np.diff(places, axis=0), axis=1).max() <= _HASTE * fast else None

    def _folded(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points x, y, mirrored at a margin inside the frame's edges until they are within."""
        span = np.array([self._settings.width, self._settings.height]) - 2 * _MARGIN
        return np.asarray(_MARGIN + span - np.abs((points - _MARGIN) % (2 * span) - span))
