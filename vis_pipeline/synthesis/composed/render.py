"""Drawing a composed scene frame by frame, with the exact mask of what shows of each object."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.synthesis.common.exposure import exposure_times, exposures_for, sensor_noise
from vis_pipeline.synthesis.common.visibility import MIN_VISIBLE_PIXELS
from vis_pipeline.synthesis.composed.camera import Backdrop, View, backdrops
from vis_pipeline.synthesis.composed.cutouts import SOLID, Patch, lay_over, place
from vis_pipeline.synthesis.composed.scene import Actor, ComposedScene
from vis_pipeline.synthesis.composed.settings import ComposeSettings

_LEAST_BLUR = 0.25


@dataclass(frozen=True)
class Sight:
    """What shows of an object that is in the frame, hidden or not.

    Attributes:
        pixels: bool [H, W], those that show it; None where there are fewer than MIN_VISIBLE_PIXELS.
        fraction: number of these over its whole area, in or out of the frame; 0 with None.
    """

    pixels: NDArray[np.bool_] | None
    fraction: float


@dataclass(frozen=True)
class ComposedFrame:
    """A frame, uint8 [H, W, 3] BGR, and the objects in it: the cast by their places, then the background's own."""

    image: NDArray[np.uint8]
    sights: dict[int, Sight]


def render(scene: ComposedScene, settings: ComposeSettings, rng: np.random.Generator) -> Iterator[ComposedFrame]:
    """The frames in order; `rng` chooses the part of a real video and draws the sensor's noise.

    Raises:
        DataError: a frame of the background cannot be read.
    """
    noise = sensor_noise(rng, settings.height, settings.width, settings.length, settings.noise)
    pictures = backdrops(rng, settings, scene.background, scene.first, scene.detail)
    for frame, (backdrop, added) in enumerate(zip(pictures, noise, strict=True)):
        yield _frame(scene, settings, frame, backdrop, added)


@dataclass(frozen=True)
class Placed:
    """An actor in a frame, with its whole area in pixels, in or out of the frame."""

    track: int | None
    patch: Patch
    area: float


def _frame(
    scene: ComposedScene, settings: ComposeSettings, frame: int, backdrop: Backdrop, noise: NDArray[np.float32]
) -> ComposedFrame:
    view = scene.camera.at(frame)
    canvas = _viewed(backdrop.image, view, settings).astype(np.float32)
    placed = [found for actor in scene.actors if (found := _placed(actor, settings, frame)) is not None]
    for actor in placed:
        lay_over(canvas, actor.patch)
    owned = [None if mask is None else _viewed(mask, view, settings) > 127 for mask in backdrop.masks]
    shown = settings.height * settings.width / (view.width * view.height)
    sights = see(placed, owned, [share * shown for share in backdrop.shares], settings, scene.cast_size)
    return ComposedFrame(_developed(canvas, scene, frame, noise), sights)


def _placed(actor: Actor, settings: ComposeSettings, frame: int) -> Placed | None:
    """The actor averaged over the exposure; None where it is out of the frame."""
    layer = actor.cutout.layer if actor.bend is None else actor.bend.apply(actor.cutout.layer, frame)
    ends = [actor.trajectory.at(frame + settings.shutter * half) for half in (-0.5, 0.5)]
    times = exposure_times(frame, settings.shutter, exposures_for(float(np.linalg.norm(ends[1] - ends[0]))))
    matrices = [actor.matrix(time) for time in times]
    patch = place(layer, matrices, actor.blur, settings.height, settings.width)
    if patch is None:
        return None
    patch.layer[..., :3] *= np.float32(actor.light.at(frame))
    scale = abs(float(np.linalg.det(actor.matrix(frame)[:, :2])))
    return Placed(actor.track, patch, scale * int((layer[..., 3] > SOLID).sum()))


def see(
    placed: Sequence[Placed],
    owned: Sequence[NDArray[np.bool_] | None],
    owned_areas: Sequence[float],
    settings: ComposeSettings,
    cast_size: int,
) -> dict[int, Sight]:
    """What shows of each object: `placed` has the farthest first, behind them all are the background's own objects.

    `owned` are these objects' masks [H, W], None where one is hidden; of two that overlap, the first shows.
    """
    taken = np.zeros((settings.height, settings.width), dtype=np.bool_)
    everywhere = slice(None), slice(None)
    sights: dict[int, Sight | None] = {}
    for actor in reversed(placed):
        solid = actor.patch.solid
        if actor.track is not None:
            sights[actor.track] = _sight(solid, taken, actor.patch.slices, actor.area)
        taken[actor.patch.slices] |= solid
    for number, (mask, area) in enumerate(zip(owned, owned_areas, strict=True), start=cast_size):
        if mask is not None:
            sights[number] = _sight(mask, taken, everywhere, area)
            taken |= mask
    return {track: sight for track, sight in sights.items() if sight is not None}


def _sight(solid: NDArray[np.bool_], taken: NDArray[np.bool_], where: tuple[slice, slice], area: float) -> Sight | None:
    """What shows of a `solid` that lies `where` in the frame, where what is in front has `taken` pixels."""
    if solid.sum() < MIN_VISIBLE_PIXELS:
        return None
    pixels = np.zeros_like(taken)
    pixels[where] = solid & ~taken[where]
    count = int(pixels.sum())
    return Sight(pixels, min(count / area, 1.0)) if count >= MIN_VISIBLE_PIXELS else Sight(None, 0.0)


def _viewed(picture: NDArray[np.uint8], view: View, settings: ComposeSettings) -> NDArray[np.uint8]:
    """The part of a picture in view, uint8 [H, W] or [H, W, 3]."""
    height, width = picture.shape[:2]
    matrix = view.matrix((height, width), (settings.height, settings.width))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (settings.width, settings.height)
    return np.asarray(cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _developed(
    canvas: NDArray[np.float32], scene: ComposedScene, frame: int, noise: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """The picture with its defocus, light and noise."""
    blur = scene.blur.at(frame)
    if blur > _LEAST_BLUR:
        canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), blur), dtype=np.float32)
    canvas *= np.array([wave.at(frame) for wave in scene.light], dtype=np.float32)
    canvas += noise
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
