"""A little video of textured rectangles that cross, with its label maps, and what follows them."""

from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np

from vis_pipeline.files.palette_images import palette_png
from vis_pipeline.protocols.benchmark import Trackers
from vis_pipeline.trackers.siammask.checkpoint import load_siammask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.settings import PRESETS
from vis_pipeline.trackers.siammask.single_object import LossSettings, NoFinder, track_object
from vis_pipeline.weights.registry import resolve

HEIGHT, WIDTH, LENGTH = 120, 160, 6
# Value, first frame, corner there, size, step a frame, colour; later ones lie on top.
OBJECTS = (
    (1, 0, (20, 20), (42, 30), (4, 1), (40, 60, 220)),
    (3, 0, (90, 60), (32, 36), (-3, 0), (60, 210, 70)),
    (2, 2, (30, 70), (30, 30), (3, -2), (220, 90, 50)),
)


@cache
def drawn_video() -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Frames, BGR, and label maps."""
    rng = np.random.default_rng(5)
    background = cv2.resize(rng.integers(90, 150, (12, 16, 3), dtype=np.uint8), (WIDTH, HEIGHT))
    images, maps = [], []
    for index in range(LENGTH):
        image, labels = background.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
        for value, start, corner, (w, h), step, colour in OBJECTS:
            if index >= start:
                x, y = (int(c + (index - start) * s) for c, s in zip(corner, step, strict=True))
                image[y : y + h, x : x + w] = colour
                image[y + 4 : y + h - 4 : 6, x + 3 : x + w - 3] = 255 - np.array(colour)
                labels[y : y + h, x : x + w] = value
        images.append(image)
        maps.append(labels)
    return tuple(images), tuple(maps)


def write_frames(folder: Path, names: list[str]) -> None:
    """The frames under these names, as JPEG."""
    folder.mkdir(parents=True)
    for name, image in zip(names, drawn_video()[0], strict=True):
        cv2.imwrite(str(folder / f"{name}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 95])


def write_label_maps(folder: Path, maps: dict[str, np.ndarray]) -> None:
    """Label maps with a palette."""
    folder.mkdir(parents=True)
    for name, labels in maps.items():
        (folder / f"{name}.png").write_bytes(palette_png(labels))


@cache
def small_trackers() -> Trackers:
    """SiamMask with the bundled weights for drawn objects."""
    predictor = SiamMaskPredictor(load_siammask(resolve("bundled:siammask_small"), "cpu"), PRESETS["davis"])
    follow = partial(track_object, predictor, finder=NoFinder(), settings=LossSettings())
    return Trackers(follow, predictor, "state")
