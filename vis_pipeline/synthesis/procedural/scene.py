"""Planning a scene: who is in it, what each object does, and what of each can be seen in each frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.synthesis.common import motion
from vis_pipeline.synthesis.common.motion import Path, Point
from vis_pipeline.synthesis.common.outlines import irregular_contour
from vis_pipeline.synthesis.common.visibility import MIN_VISIBLE_PIXELS, half_hidden, returns
from vis_pipeline.synthesis.procedural import shapes, textures
from vis_pipeline.synthesis.procedural.backdrop import Backdrop, draw_backdrop
from vis_pipeline.synthesis.procedural.cast import Character, draw_cast
from vis_pipeline.synthesis.procedural.layers import Body, coverage, outline_area, window_around
from vis_pipeline.synthesis.procedural.settings import SceneSettings, VideoSettings

_ATTEMPTS = 60
_CLEAR_FRAMES = 6


@dataclass(frozen=True)
class Visibility:
    """What can be seen of N bodies at the middle of each of T exposures.

    Attributes:
        pixels: bool [N, T, H, W], those that show the body; none where there are fewer than MIN_VISIBLE_PIXELS.
        fractions: float64 [N, T], number of these over the body's whole area, whether inside the frame or not.
        in_frame: bool [N, T], where at least MIN_VISIBLE_PIXELS would show if nothing were in front.
    """

    pixels: NDArray[np.bool_]
    fractions: NDArray[np.float64]
    in_frame: NDArray[np.bool_]


@dataclass(frozen=True)
class DrawnScene:
    """Everything that a video shows.

    Attributes:
        bodies: one per object, in track order.
        occluders: background pieces in front of all objects.
        depth_order: indices of `bodies`, the farthest first.
        visibility: what of each body can be seen.
        lookalikes: tracks that look like another one; empty if the video has none.
        backdrop: what is behind them all.
    """

    categories: tuple[str, ...]
    bodies: tuple[Body, ...]
    occluders: tuple[Body, ...]
    depth_order: tuple[int, ...]
    visibility: Visibility
    lookalikes: tuple[int, ...]
    backdrop: Backdrop


def plan_scene(rng: np.random.Generator, settings: SceneSettings, index: int, first_category: int) -> DrawnScene:
    """Draw the scene of video `index`; `first_category` turns with the video, so that a split has all categories.

    Paths are drawn until the scene has what every video must show: objects that leave and return, objects
    half hidden, and each object clearly visible for a while.
    """
    has_lookalike = settings.lookalike_period == 0 or index % settings.lookalike_period != settings.lookalike_period - 1
    count = int(rng.integers(max(settings.objects[0], 2 + has_lookalike), settings.objects[1] + 1))
    background = textures.background_colours(rng)
    copies = (
        min(int(rng.integers(settings.lookalikes[0], settings.lookalikes[1] + 1)), count - 2) if has_lookalike else 0
    )
    cast = draw_cast(rng, settings, count, copies, first_category, background)
    backdrop = draw_backdrop(rng, settings, background)

    best: DrawnScene | None = None
    fewest_faults = np.inf
    for _ in range(_ATTEMPTS):
        order, paths, occluders = _choreograph(rng, settings, cast, copies, backdrop)
        bodies = tuple(
            Body(shapes.outline(who.category), who.form, path, who.texture, 1.25 * shapes.extent(who.category))
            for who, path in zip(cast, paths, strict=True)
        )
        visibility = see(settings, bodies, occluders, order)
        faults = _faults(settings, visibility)
        if faults < fewest_faults:
            fewest_faults = faults
            names = tuple(who.category for who in cast)
            alike = tuple(range(copies + 1)) if copies else ()
            best = DrawnScene(names, bodies, occluders, order, visibility, alike, backdrop)
        if faults == 0:
            break
    assert best is not None
    return best


def see(
    settings: VideoSettings, bodies: tuple[Body, ...], occluders: tuple[Body, ...], order: tuple[int, ...]
) -> Visibility:
    """What is visible of the bodies; `order` is their depth order, the farthest first."""
    height, width = settings.height, settings.width
    pixels = np.zeros((len(bodies), settings.length, height, width), dtype=np.bool_)
    fractions = np.zeros((len(bodies), settings.length))
    in_frame = np.zeros((len(bodies), settings.length), dtype=np.bool_)
    for frame in range(settings.length):
        taken = np.zeros((height, width), dtype=np.bool_)
        for occluder in occluders:
            contours = occluder.outline_at(frame)
            window = window_around([contours], height, width)
            if window is not None:
                taken[window.slices] |= coverage(contours, window) > 0.5
        for track in reversed(order):
            contours = bodies[track].outline_at(frame)
            window = window_around([contours], height, width)
            if window is None:
                continue
            solid = coverage(contours, window) > 0.5
            shown = solid & ~taken[window.slices]
            taken[window.slices] |= solid
            in_frame[track, frame] = solid.sum() >= MIN_VISIBLE_PIXELS
            if shown.sum() >= MIN_VISIBLE_PIXELS:
                pixels[track, frame][window.slices] = shown
                fractions[track, frame] = min(shown.sum() / outline_area(contours), 1.0)
    return Visibility(pixels, fractions, in_frame)


def _faults(settings: SceneSettings, visibility: Visibility) -> int:
    """How many tracks are missing from what the video must show."""
    fractions = visibility.fractions
    count = len(fractions)
    returning = settings.returning if count > 2 else 1
    too_few_returning = max(0, returning - int(returns(~visibility.in_frame, fractions > 0).sum()))
    too_few_hidden = max(0, int(np.ceil(0.4 * count)) - int(half_hidden(fractions).sum()))
    too_seldom_clear = int(((fractions > 0.6).sum(axis=1) < _CLEAR_FRAMES).sum())
    return too_few_returning + too_few_hidden + too_seldom_clear


def _choreograph(
    rng: np.random.Generator,
    settings: SceneSettings,
    cast: list[Character],
    copies: int,
    backdrop: Backdrop,
) -> tuple[tuple[int, ...], list[Path], tuple[Body, ...]]:
    """Roles and paths: (depth order, one path per character, occluders)."""
    stage = settings.stage
    count = len(cast)
    order = [int(track) for track in rng.permutation(count)]
    actors = [int(track) for track in rng.permutation(count)]
    returning = actors[: max(1, min(settings.returning, count - 1))]
    to_hide = actors[len(returning) :][: max(1, count // 3)]
    paths: dict[int, Path] = {}
    starts: list[Point] = []
    for track in actors:
        if track in returning:
            paths[track] = motion.returning_path(rng, stage, cast[track].radius)
        elif track not in to_hide:
            starts.append(motion.free_place(rng, stage, [*starts, *(path.at(0) for path in paths.values())]))
            paths[track] = motion.wandering_path(rng, stage, starts[-1])
    occluders: list[Body] = []
    for track in to_hide:
        time = rng.uniform(0.3, 0.7) * settings.length
        kind = rng.choice(["crossing", "occluder", "edge"], p=[0.5, 0.3, 0.2])
        hiders = [other for other in paths if stage.holds(paths[other].at(time))]
        alike = [other for other in hiders if max(track, other) <= copies]
        if kind == "crossing" and hiders:
            hider = int(rng.choice(alike or hiders))
            meeting = paths[hider].at(time) + rng.normal(0, 0.12, 2) * cast[track].form.size.mean
            paths[track] = motion.path_through(rng, stage, meeting, time)
            _bring_forward(order, hider, track)
        elif kind == "occluder" and len(occluders) < settings.occluders:
            place = motion.free_place(rng, stage, [])
            paths[track] = motion.path_through(rng, stage, place, time)
            occluders.append(_occluder(rng, cast[track].form.size.mean, place, time, backdrop))
        else:
            place = motion.edge_point(rng, stage, cast[track].form.size.mean)
            paths[track] = motion.path_through(rng, stage, place, time)
    return tuple(order), [paths[track] for track in range(count)], tuple(occluders)


def _bring_forward(order: list[int], front: int, back: int) -> None:
    """Swap two tracks in the depth order if `front` is not already nearer than `back`."""
    first, second = order.index(front), order.index(back)
    if first < second:
        order[first], order[second] = back, front


def _occluder(rng: np.random.Generator, size: float, place: Point, time: float, backdrop: Backdrop) -> Body:
    """A bar across the frame or an irregular patch, fixed to the background, at `place` at `time`."""
    if rng.random() < 0.5:
        half_width = 0.5 * size * rng.uniform(0.8, 1.25)
        contour = np.array([[-400.0, -1], [400, -1], [400, 1], [-400, 1]]) * [1, half_width]
        return backdrop.piece(rng, contour, float(rng.normal(np.pi / 2, 0.35)), 60.0, place, time)
    contour = irregular_contour(rng, 0.15) * size * rng.uniform(0.6, 0.85)
    return backdrop.piece(rng, contour, 0.0, 1.6 * size, place, time)
