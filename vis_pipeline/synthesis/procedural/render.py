"""Drawing a planned scene: the background, then each body with texture, shading and motion blur."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.synthesis.common.exposure import exposure_times, exposures_for, sensor_noise
from vis_pipeline.synthesis.procedural.layers import Body, coverage, window_around
from vis_pipeline.synthesis.procedural.scene import DrawnScene
from vis_pipeline.synthesis.procedural.settings import VideoSettings
from vis_pipeline.synthesis.procedural.textures import Image

_SENSOR_NOISE = 2.5


def render_frame(
    scene: DrawnScene, settings: VideoSettings, frame: int, noise: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """One frame, uint8 [H, W, 3] BGR; `noise`, [H, W, 3], is added to it."""
    canvas = _background(scene, settings, frame)
    for track in scene.depth_order:
        _draw(canvas, scene.bodies[track], settings, frame)
    for occluder in scene.occluders:
        _draw(canvas, occluder, settings, frame)
    canvas += noise
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def render(scene: DrawnScene, settings: VideoSettings, rng: np.random.Generator) -> NDArray[np.uint8]:
    """All frames, uint8 [T, H, W, 3] BGR; `rng` draws the sensor noise."""
    noise = sensor_noise(rng, settings.height, settings.width, settings.length, _SENSOR_NOISE)
    frames = np.empty((settings.length, settings.height, settings.width, 3), dtype=np.uint8)
    for frame, added in enumerate(noise):
        frames[frame] = render_frame(scene, settings, frame, added)
    return frames


def _background(scene: DrawnScene, settings: VideoSettings, frame: int) -> Image:
    times = exposure_times(frame, settings.shutter, 2)
    canvas = np.zeros((settings.height, settings.width, 3), dtype=np.float32)
    spare = (np.array(scene.backdrop.plate.shape[1::-1]) - [settings.width, settings.height]) / 2
    for time in times:
        corner = scene.backdrop.path.at(time) + spare
        shift = np.array([[1.0, 0.0, corner[0]], [0.0, 1.0, corner[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (settings.width, settings.height)
        shifted = cv2.warpAffine(scene.backdrop.plate, shift, size, flags=flags, borderMode=cv2.BORDER_REFLECT)
        canvas += np.asarray(shifted, dtype=np.float32)
    canvas /= np.float32(len(times))
    return canvas


def _draw(canvas: Image, body: Body, settings: VideoSettings, frame: int) -> None:
    """Blend a body into the canvas, averaged over the time that the shutter is open."""
    ends = body.path.at(frame - settings.shutter / 2), body.path.at(frame + settings.shutter / 2)
    travel = float(np.linalg.norm(ends[1] - ends[0]))
    times = exposure_times(frame, settings.shutter, exposures_for(travel))
    outlines = [body.outline_at(time) for time in times]
    window = window_around(outlines, settings.height, settings.width)
    if window is None:
        return
    shape = (window.bottom - window.top, window.right - window.left)
    alpha = np.zeros((*shape, 1), dtype=np.float32)
    colour = np.zeros((*shape, 3), dtype=np.float32)
    for time, contours in zip(times, outlines, strict=True):
        cover = coverage(contours, window)
        # The rim is darker: two bodies of one texture stay apart where they overlap.
        lit = cover * (np.float32(0.45) + np.float32(0.55) * cv2.blur(cover, (5, 5), borderType=cv2.BORDER_REPLICATE))
        alpha += cover[..., None]
        colour += lit[..., None] * _texture_at(body, time, (window.left, window.top), shape)
    part = np.float32(1 / len(times))
    canvas[window.slices] += part * colour - (part * alpha) * canvas[window.slices]


def _texture_at(body: Body, time: float, corner: tuple[int, int], shape: tuple[int, int]) -> Image:
    """The body's texture as it lies in a window of the frame, [h, w, 3]."""
    side = body.texture.shape[0]
    scale = side / (2 * body.texture_extent)
    inverse = np.linalg.inv(body.form.matrix(time)) * scale
    offset = inverse @ (np.array(corner) - body.path.at(time)) + (side - 1) / 2
    matrix = np.concatenate([inverse, offset[:, None]], axis=1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(body.texture, matrix, shape[::-1], flags=flags, borderMode=cv2.BORDER_REFLECT), dtype=np.float32
    )
