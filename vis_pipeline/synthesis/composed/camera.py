"""The background's part of a video: a window that wanders and zooms inside a photograph or a real video's frames."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.files.images import read_image
from vis_pipeline.synthesis.common.motion import Path, Point, Wave
from vis_pipeline.synthesis.composed.backgrounds import Background
from vis_pipeline.synthesis.composed.settings import ComposeSettings

_SPARE_DETAIL = 1.15


@dataclass(frozen=True)
class View:
    """The rectangle of a picture that the frame shows, in shares of the picture's sides."""

    left: float
    top: float
    width: float
    height: float

    def matrix(self, picture: tuple[int, int], frame: tuple[int, int]) -> NDArray[np.float64]:
        """Frame pixels to pixels of a picture, float64 [2, 3]; sizes are (height, width)."""
        scale_x, scale_y = self.width * picture[1] / frame[1], self.height * picture[0] / frame[0]
        return np.array(
            [
                [scale_x, 0, self.left * picture[1] + 0.5 * scale_x - 0.5],
                [0, scale_y, self.top * picture[0] + 0.5 * scale_y - 0.5],
            ]
        )


@dataclass(frozen=True)
class Camera:
    """How the view moves over a picture, whatever its size.

    Attributes:
        largest: width and height of the largest view of the frame's shape, shares of the picture.
        zoom: share of that which is shown.
        centre: the view's centre, shares of the picture.
    """

    largest: tuple[float, float]
    zoom: Wave
    centre: Path

    def at(self, time: float) -> View:
        """The view at a time, wholly inside the picture."""
        sides = np.clip(self.zoom.at(time), 0.2, 1.0) * np.array(self.largest)
        corner = np.clip(self.centre.at(time) - sides / 2, 0, 1 - sides)
        return View(float(corner[0]), float(corner[1]), float(sides[0]), float(sides[1]))


@dataclass(frozen=True)
class Anchored:
    """Where a point of the background (`point`, shares of the picture) is in a frame of (width, height) pixels."""

    camera: Camera
    point: Point
    frame: tuple[int, int]

    def at(self, time: float) -> Point:
        """Position x, y in pixels at a time in frames."""
        view = self.camera.at(time)
        corner, sides = np.array([view.left, view.top]), np.array([view.width, view.height])
        return np.asarray((self.point - corner) / sides * self.frame - 0.5)


@dataclass(frozen=True)
class Backdrop:
    """One picture of the background, shrunk to about the frame's detail.

    Attributes:
        image: uint8 [h, w, 3], BGR.
        masks: one for each object of the background, uint8 [h, w], 0 to 255; None where it is hidden.
        shares: part of the picture that each object covers.
    """

    image: NDArray[np.uint8]
    masks: tuple[NDArray[np.uint8] | None, ...]
    shares: tuple[float, ...]


def random_camera(rng: np.random.Generator, settings: ComposeSettings, picture: tuple[int, int]) -> Camera:
    """A slow pan and zoom over pictures of a size (height, width)."""
    height, width = picture
    side = min(width / settings.width, height / settings.height)
    largest = (side * settings.width / width, side * settings.height / height)
    middle = settings.length / 2
    zoom = float(rng.uniform(*settings.zoom))
    change = float(rng.uniform(-0.25, 0.25)) / settings.length
    step = settings.length / 3 * settings.side / np.array([settings.width, settings.height]) * zoom * np.array(largest)
    heading = rng.uniform(0, 2 * np.pi)
    steps = [np.zeros(2)]
    for _ in range(3):
        heading += rng.normal(0, 0.5)
        steps.append(step * settings.pan * rng.uniform(0.1, 1) * np.array([np.cos(heading), np.sin(heading)]))
    way = np.cumsum(steps, axis=0)
    half = zoom * np.array(largest) / 2
    place = rng.uniform(half, 1 - half)
    points = place + way - way.mean(axis=0)
    times = np.linspace(0.0, settings.length, 4, dtype=np.float64)
    return Camera(largest, Wave(zoom, rate=zoom * change, centre=middle), Path(times, points))


def backdrops(
    rng: np.random.Generator, settings: ComposeSettings, background: Background, first: Backdrop, detail: float
) -> Iterator[Backdrop]:
    """The background's picture for each frame: the same one, or a real video's in order, back again at its end.

    `first` is the first path's, `detail` as for :func:`read_backdrop`.
    """
    count = len(background.paths)
    if count == 1:
        for _ in range(settings.length):
            yield first
        return
    start = int(rng.integers(max(count - settings.length, 0) + 1))
    for frame in range(start, start + settings.length):
        along = frame % (2 * count - 2)
        yield read_backdrop(background, min(along, 2 * count - 2 - along), detail)


def detail_needed(settings: ComposeSettings) -> float:
    """Pixels of the picture's shorter side, over the frame's, that a view needs."""
    return settings.side * _SPARE_DETAIL / settings.zoom[0]


def read_backdrop(background: Background, index: int, detail: float) -> Backdrop:
    """Picture `index` of a background, shrunk to `detail` pixels on its shorter side if it has more.

    Raises:
        DataError: it cannot be read, or is of another size than its annotations say.
    """
    path = background.paths[index]
    image = read_image(path)
    height, width = image.shape[:2]
    scale = min(1.0, detail / min(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    drawn: list[NDArray[np.uint8] | None] = []
    shares = []
    for item in background.objects:
        rle = item.segmentations[index]
        if rle is not None and rle["size"] != [height, width]:
            stated = f"{rle['size'][1]}x{rle['size'][0]}"
            raise DataError(f"background {path}: {width}x{height} pixels, its annotations say {stated}")
        drawn.append(None if rle is None else _shrunk(masks.decode(rle).astype(np.uint8) * np.uint8(255), size))
        shares.append(0.0 if rle is None else float(masks.area([rle])[0]) / (height * width))
    return Backdrop(_shrunk(image, size), tuple(drawn), tuple(shares))


def _shrunk(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
