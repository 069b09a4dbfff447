"""Planning a composed video: who is in it, and what each does before which background."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.synthesis.common.motion import Path, Point, Pose, Wave
from vis_pipeline.synthesis.common.outlines import irregular_contour
from vis_pipeline.synthesis.composed import camera as cameras
from vis_pipeline.synthesis.composed.backgrounds import Background
from vis_pipeline.synthesis.composed.camera import Anchored, Backdrop, Camera
from vis_pipeline.synthesis.composed.choreography import choreograph, meeting_point
from vis_pipeline.synthesis.composed.cutouts import Bend, Cutout, lift, tinted, widened
from vis_pipeline.synthesis.composed.settings import ComposeSettings
from vis_pipeline.synthesis.composed.sources import Library, Source, draw_whole

# Cut-outs are lifted at this multiple of their size at mid-video, since they grow.
_SPARE_DETAIL = 1.3
# Largest relative change of size from mid-video to an end.
_MOST_GROWTH = 0.35


@dataclass(frozen=True)
class Cast:
    """What video `index` is made of; `lookalikes` are indices of `sources` that look alike, or none."""

    index: int
    sources: tuple[Source, ...]
    lookalikes: tuple[int, ...]
    background: Background


class Trajectory(Protocol):
    """Where a body is."""

    def at(self, time: float) -> Point:
        """Position x, y in frame pixels at a time in frames."""
        ...


@dataclass(frozen=True)
class Actor:
    """A cut-out in motion.

    Attributes:
        track: its place in the cast, None for a piece of background.
        mirrored: left and right are swapped.
        blur: standard deviation of its defocus, pixels of the frame.
        light: factor of its brightness.
    """

    cutout: Cutout
    track: int | None
    trajectory: Trajectory
    pose: Pose
    bend: Bend | None
    mirrored: bool
    blur: float
    light: Wave

    def matrix(self, time: float) -> NDArray[np.float64]:
        """Pixels of the cut-out's layer to frame pixels, float64 [2, 3]."""
        flip = np.array([-1.0, 1.0]) if self.mirrored else np.ones(2)
        linear = self.pose.matrix(time) * flip / np.sqrt(self.cutout.area)
        return np.column_stack([linear, self.trajectory.at(time) - linear @ self.cutout.centre])


@dataclass(frozen=True)
class ComposedScene:
    """Everything that a video shows.

    Attributes:
        actors: the farthest first.
        cast_size: number of tracks that the cast has; those of the background's own objects follow.
        light: factors of blue, green and red of the whole picture.
        blur: standard deviation of the whole picture's defocus, pixels; below 0 it is sharp.
    """

    background: Background
    camera: Camera
    first: Backdrop
    detail: float
    actors: tuple[Actor, ...]
    cast_size: int
    light: tuple[Wave, Wave, Wave]
    blur: Wave


def draw_cast(
    rng: np.random.Generator,
    settings: ComposeSettings,
    library: Library,
    backgrounds: Sequence[Background],
    index: int,
) -> Cast:
    """Choose what video `index` shows; no file is read."""
    count = int(rng.integers(settings.objects[0], settings.objects[1] + 1))
    first, group = library.draw(rng)
    sources = [first]
    copies = 0
    if count > 1 and rng.random() < settings.lookalike:
        copies = min(int(rng.integers(settings.lookalikes[0], settings.lookalikes[1] + 1)), count - 1)
    for _ in range(copies):
        sources.append(first if rng.random() < settings.twin else draw_whole(rng, group))
    company = library if settings.classes is None else _of_few_classes(rng, library, group, settings.classes)
    while len(sources) < count:
        sources.append(company.draw(rng)[0])
    background = backgrounds[int(rng.integers(len(backgrounds)))]
    return Cast(index, tuple(sources), tuple(range(copies + 1)) if copies else (), background)


def _of_few_classes(
    rng: np.random.Generator, library: Library, group: tuple[Source, ...], most_classes: int
) -> Library:
    """The library reduced to a class's `group` and, drawn by the same weights, others up to `most_classes` in all."""
    groups = [group]
    for _ in range(most_classes - 1):
        drawn = library.draw(rng)[1]
        if all(drawn is not other for other in groups):
            groups.append(drawn)
    return replace(library, groups=tuple(groups))


def plan_scene(rng: np.random.Generator, settings: ComposeSettings, cast: Cast) -> ComposedScene:
    """Cut the objects out and say how they move; those of which nothing is left are missing from the actors.

    Raises:
        DataError: a file cannot be read.
    """
    detail = cameras.detail_needed(settings)
    first = cameras.read_backdrop(cast.background, 0, detail)
    height, width = first.image.shape[:2]
    camera = cameras.random_camera(rng, settings, (height, width))
    bodies = _bodies(rng, settings, cast, first.image.reshape(-1, 3).mean(axis=0))
    plan = choreograph(
        rng,
        settings,
        [body.size for body in bodies],
        [body.radius for body in bodies],
        [place for place, body in enumerate(bodies) if body.track in cast.lookalikes],
    )
    actors = [_actor(rng, settings, bodies[place], plan.paths[place]) for place in plan.order]
    for _ in range(int(rng.integers(settings.occluders + 1)) if bodies else 0):
        chosen = int(rng.integers(len(bodies)))
        meeting = meeting_point(rng, settings.stage, plan.paths[chosen])
        if meeting is not None:
            actors.append(_occluder(rng, settings, camera, first, bodies[chosen].size, *meeting))
    return ComposedScene(
        background=cast.background,
        camera=camera,
        first=first,
        detail=detail,
        actors=tuple(actors),
        cast_size=len(cast.sources),
        light=_light(rng, settings),
        blur=_picture_blur(rng, settings),
    )


@dataclass(frozen=True)
class _Body:
    """A cut-out that is to be `size` (root of area, frame pixels) at mid-video."""

    track: int
    cutout: Cutout
    size: float

    @property
    def radius(self) -> float:
        """Largest distance from its centre in frame pixels."""
        return self.cutout.radius * self.size / float(np.sqrt(self.cutout.area))


def _bodies(
    rng: np.random.Generator, settings: ComposeSettings, cast: Cast, ground: NDArray[np.float64]
) -> list[_Body]:
    """The cast's cut-outs, their colours drawn to the mean BGR of the `ground`."""
    low, high = np.log(np.array(settings.size) * settings.side)
    crowded = 1.0 if len(cast.sources) < 5 else 0.85
    bodies: list[_Body] = []
    leader = 0.0
    for track, source in enumerate(cast.sources):
        size = crowded * float(np.exp(rng.uniform(low, high)))
        if track == 0:
            leader = size
        elif track in cast.lookalikes:
            size = leader * float(rng.uniform(0.8, 1.25))
        cutout = source.cut_out(size * _SPARE_DETAIL)
        if cutout is not None:
            gain = np.clip((ground + 20) / (cutout.mean_colour + 20), 0.5, 2.0) ** settings.match
            own = float(np.sqrt(cutout.area))
            size = min(size, settings.magnification * own, settings.reach * settings.side * own / cutout.radius)
            bodies.append(_Body(track, tinted(cutout, gain), size))
    return bodies


def _actor(rng: np.random.Generator, settings: ComposeSettings, body: _Body, path: Path) -> Actor:
    cutout, size, middle = body.cutout, body.size, settings.length / 2
    amplitudes = rng.uniform(0, settings.bend, 2) * np.sqrt(cutout.area)
    growth = min(settings.growth, _MOST_GROWTH / middle)
    pose = Pose(
        size=_swaying(rng, size, size * rng.uniform(0, 0.05), size * growth * rng.uniform(-1, 1), middle),
        angle=_swaying(
            rng,
            rng.normal(0, settings.tilt),
            rng.uniform(0, settings.sway),
            rng.uniform(-settings.spin, settings.spin),
            middle,
        ),
        stretch=_swaying(rng, rng.uniform(0.92, 1.08), rng.uniform(0, 0.05), 0.0, middle),
    )
    bend = Bend(
        sideways=_swaying(rng, 0.0, amplitudes[0], 0.0, middle),
        upright=_swaying(rng, 0.0, amplitudes[1], 0.0, middle),
        turns=(float(rng.uniform(0.4, 1.2)), float(rng.uniform(0.4, 1.2))),
    )
    blurred = rng.random() < settings.defocus
    return Actor(
        cutout=widened(cutout, int(np.ceil(amplitudes.max()))),
        track=body.track,
        trajectory=path,
        pose=pose,
        bend=bend,
        mirrored=bool(rng.integers(2)),
        blur=settings.blur * settings.unit * float(rng.uniform(0.4, 1)) if blurred else 0.0,
        light=_swaying(rng, 1.0, settings.light * rng.uniform(0, 0.6), 0.0, middle),
    )


def _swaying(rng: np.random.Generator, mean: float, amplitude: float, rate: float, middle: float) -> Wave:
    """A wave of 15 to 60 frames that is about `mean` at mid-video."""
    frequency = 2 * np.pi / rng.uniform(15, 60)
    return Wave(mean, amplitude, float(frequency), float(rng.uniform(0, 2 * np.pi)), rate, middle)


def _occluder(
    rng: np.random.Generator,
    settings: ComposeSettings,
    camera: Camera,
    backdrop: Backdrop,
    size: float,
    meeting: Point,
    time: float,
) -> Actor:
    """A bar or an irregular piece of the background, fixed to it, that is at `meeting` at `time`."""
    if rng.random() < 0.4:
        half_width, half_length = 0.5 * size * rng.uniform(0.5, 0.9), 1.6 * max(settings.width, settings.height)
        contour = np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]]) * [half_width, half_length]
        angle = float(rng.normal(0, 0.3))
    else:
        contour, angle = irregular_contour(rng, 0.15) * size * rng.uniform(0.45, 0.75), 0.0
    view, frame = camera.at(time), (settings.width, settings.height)
    point = np.array([view.left, view.top]) + (meeting + 0.5) / frame * [view.width, view.height]
    cutout = _piece(rng, backdrop.image, contour)
    return Actor(
        cutout=cutout,
        track=None,
        trajectory=Anchored(camera, point, frame),
        pose=Pose(Wave(float(np.sqrt(cutout.area))), Wave(angle), Wave(1.0)),
        bend=None,
        mirrored=False,
        blur=settings.blur * settings.unit * float(rng.uniform(0, 1)),
        light=Wave(float(rng.uniform(0.6, 1.1))),
    )


def _piece(rng: np.random.Generator, image: NDArray[np.uint8], contour: NDArray[np.float64]) -> Cutout:
    """A piece of an image, from anywhere in it and turned, in the shape of a contour (pixels)."""
    low = np.floor(contour.min(axis=0)) - 1
    width, height = np.ceil(contour.max(axis=0) - low).astype(int) + 2
    alpha = np.zeros((height, width), dtype=np.uint8)
    cv2.fillPoly(alpha, [np.rint((contour - low) * 16).astype(np.int32)], (255,), lineType=cv2.LINE_AA, shift=4)
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    somewhere = rng.uniform(0, 1, 2) * image.shape[1::-1]
    matrix = np.column_stack([turn, somewhere - turn @ [width / 2, height / 2]])
    colours = cv2.warpAffine(
        image, matrix, (int(width), int(height)), flags=cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
    )
    cutout = lift(np.asarray(colours, dtype=np.uint8), alpha.astype(np.float32) / np.float32(255), np.inf)
    assert cutout is not None
    return cutout


def _light(rng: np.random.Generator, settings: ComposeSettings) -> tuple[Wave, Wave, Wave]:
    """Factors of the channels: brighter and darker over the video, a little warmer or colder throughout."""
    brightness = _swaying(
        rng,
        1.0,
        settings.light * rng.uniform(0, 0.6),
        settings.light * rng.uniform(-1, 1) / settings.length,
        settings.length / 2,
    )
    warmth = rng.uniform(-0.05, 0.05)
    blue, red = replace(brightness, mean=1 - warmth), replace(brightness, mean=1 + warmth)
    return blue, brightness, red


def _picture_blur(rng: np.random.Generator, settings: ComposeSettings) -> Wave:
    if rng.random() >= settings.defocus:
        return Wave(0.0)
    most = settings.blur * settings.unit * rng.uniform(0.4, 1)
    return _swaying(rng, -0.4 * most, 1.4 * most, 0.0, settings.length / 2)
