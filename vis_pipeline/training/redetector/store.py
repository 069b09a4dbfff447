"""Features on disk: a folder for each video, read as memory maps, named after all that they depend on.

What is no longer what it was computed from has another name, so that a stale folder is never read. `meta.json` comes
last: a folder with it is whole.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.errors import DataError
from vis_pipeline.files.arrays import mapped_array, read_array
from vis_pipeline.files.json_files import read_json
from vis_pipeline.files.regular_files import MOST_TEXT
from vis_pipeline.files.whole_files import replacing, write_text

TRUE, WIDE, NARROW = 0, 1, 2
"""Which box of an object's RoI features: its own, moved far, moved a little."""


@dataclass(frozen=True)
class VideoFeatures:
    """What is kept of one video: S sights (a frame in one look) and N boxes of objects in them.

    Attributes:
        levels: float16 [S, L], the levels of each sight's pyramid, one after another.
        proposals: float32 [S, P, 4], best first, in pixels of the frame; rows of NaN fill up.
        frames: int64 [S], each sight's frame.
        objects: int64 [N], of each box: its object, as an index into the video's; ascending within a sight.
        sights: int64 [N], its sight, ascending.
        boxes: float32 [N, 3, 4], the true box, and it moved far and a little: x1, y1, x2, y2 in pixels.
        features: float16 [N, 3, C, 7, 7], of those boxes.
        shapes: (C, h, w) of each level.
        scale: pixels of the fitted frame to one of the frame, along x and y.
        size: height and width of the frame.
    """

    levels: NDArray[np.float16]
    proposals: NDArray[np.float32]
    frames: NDArray[np.int64]
    objects: NDArray[np.int64]
    sights: NDArray[np.int64]
    boxes: NDArray[np.float32]
    features: NDArray[np.float16]
    shapes: tuple[tuple[int, int, int], ...]
    scale: tuple[float, float]
    size: tuple[int, int]

    def pyramid(self, sight: int) -> list[Tensor]:
        """The levels of a sight, float32 [1, C, h, w] each."""
        flat = torch.from_numpy(self.levels[sight].astype(np.float32))
        parts = torch.split(flat, [channels * height * width for channels, height, width in self.shapes])
        return [part.reshape(1, *shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def proposals_of(self, sight: int) -> NDArray[np.float32]:
        """The proposals of a sight, float32 [P, 4]."""
        rows = self.proposals[sight]
        found: NDArray[np.float32] = rows[~np.isnan(rows[:, 0])]
        return found


_ARRAYS = ("levels", "proposals", "frames", "objects", "sights", "boxes", "features")


def is_stored(folder: Path) -> bool:
    """Whether a video's features are whole in a folder."""
    return (folder / "meta.json").is_file()


def write_features(folder: Path, features: VideoFeatures) -> None:
    """Write a video's features; what a kill leaves is not taken for them.

    Raises:
        DataError: the disk takes no more.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _ARRAYS:
            with replacing(folder / f"{name}.npy") as filled, filled.open("wb") as file:
                np.save(file, getattr(features, name))
    except OSError as error:
        raise DataError(f"features {folder}: cannot be written ({error.strerror or error})") from error
    meta = {"shapes": features.shapes, "scale": features.scale, "size": features.size}
    write_text(folder / "meta.json", json.dumps(meta))


def read_features(folder: Path) -> VideoFeatures:
    """A video's features; the large arrays stay on the disk until they are looked at.

    Raises:
        DataError: a file is missing or damaged.
    """
    try:
        meta = read_json(folder / "meta.json", MOST_TEXT)
        arrays = {
            name: (mapped_array if name in {"levels", "features"} else read_array)(folder / f"{name}.npy")
            for name in _ARRAYS
        }
        return VideoFeatures(
            **arrays,
            shapes=tuple(tuple(shape) for shape in meta["shapes"]),
            scale=tuple(meta["scale"]),
            size=tuple(meta["size"]),
        )
    except (DataError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"features {folder}: damaged ({error}); remove the folder, and they are made again") from error


def padded(proposals: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Proposals of S sights as one array [S, P, 4], filled up with NaN."""
    rows = np.full((len(proposals), max(map(len, proposals), default=0), 4), np.nan, dtype=np.float32)
    for row, found in zip(rows, proposals, strict=True):
        row[: len(found)] = found
    return rows
