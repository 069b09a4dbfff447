"""A split of plain drawn videos of any number, length and size, quickly made: ellipses that drift over a background."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from vis_pipeline import masks
from vis_pipeline.bench.speed_scene import placed_boxes
from vis_pipeline.structures.splits import Category
from vis_pipeline.synthesis.common.split import MadeTrack, WrittenVideo, write_frames, write_split, written_video

_DRIFT = 1.5
DISK = Category(1, "disk")


@dataclass(frozen=True)
class DrawnVideos:
    """What a split is made of; sizes in pixels."""

    videos: int
    length: int
    width: int
    height: int
    objects: int


def draw_split(out: Path, drawn: DrawnVideos, seed: int, categories: Sequence[Category] = (DISK,)) -> None:
    """Write `instances.json` with every object's masks, and `JPEGImages`, into a new folder.

    All objects are of the first of the categories.

    Raises:
        ConfigError: the frames have no room for so many objects.
        DataError: nothing can be written there.
    """
    placed_boxes(drawn.width, drawn.height, drawn.objects, seed)
    write = partial(_write, drawn, seed, categories[0].id)
    write_split(out, range(drawn.videos), write, categories, "videos of vis-pipeline bench runs")


def _write(drawn: DrawnVideos, seed: int, category_id: int, folder: Path, index: int) -> WrittenVideo:
    rng = np.random.default_rng([seed, index])
    coarse = rng.integers(60, 200, (drawn.height // 16 + 2, drawn.width // 16 + 2, 3)).astype(np.uint8)
    background = cv2.resize(coarse, (drawn.width, drawn.height), interpolation=cv2.INTER_CUBIC)
    frames = np.repeat(background[None], drawn.length, axis=0)
    tracks = []
    for x, y, w, h in placed_boxes(drawn.width, drawn.height, drawn.objects, seed + index).tolist():
        colour, drift = rng.integers(0, 256, 3).tolist(), rng.uniform(-_DRIFT, _DRIFT, 2)
        shown = np.zeros((drawn.length, drawn.height, drawn.width), dtype=np.uint8)
        for frame, mask in zip(frames, shown, strict=True):
            cv2.ellipse(mask, ((x + w / 2, y + h / 2), (w, h), 0.0), (1,), -1)
            frame[mask > 0] = colour
            x, y = x + drift[0], y + drift[1]
        seen = np.asarray(shown.any(axis=(1, 2)))
        rles = tuple(rle if there else None for rle, there in zip(masks.encode(shown > 0), seen, strict=True))
        tracks.append(MadeTrack(category_id, rles, seen.astype(np.float64), seen))
    return written_video(drawn.height, drawn.width, write_frames(folder, index, frames), tracks, ())
