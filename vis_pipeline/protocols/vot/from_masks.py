"""Sequences for VOT from videos with masks: the truth is a rectangle that is made of each mask."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.data.davis import VOID, label_maps
from vis_pipeline.data.image_files import image_paths
from vis_pipeline.data.label_images import frame_size, read_stored
from vis_pipeline.data.vot import claim, longest_run, write_list, write_sequence
from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import MOST_IMAGE, read_regular
from vis_pipeline.masks.rotated_boxes import minimum_area_box, optimal_box
from vis_pipeline.protocols.vot.regions import PIXEL_CENTRE

_SUFFIXES = {".jpg": ".jpg", ".jpeg": ".jpg", ".png": ".png"}


@dataclass(frozen=True)
class Made:
    """What was written: the sequences, and why the others could not be, by their names."""

    names: tuple[str, ...]
    left_out: dict[str, str]


Truth: TypeAlias = Literal["mbr", "opt"]
"""The rectangle of least area around a mask, or the one that overlaps it best, as VOT-2016's truth was made."""

_WAYS = {"mbr": minimum_area_box, "opt": optimal_box}


def write_from_masks(frames: Path, masks: Path, names: Sequence[str], out: Path, truth: Truth) -> Made:
    """Write `<frames>/<name>/*` with the masks `<masks>/<name>/*.png`, all of whose objects are one.

    Of each sequence the longest run of frames in which it shows. Labels are DAVIS's: 255 is void, but not where masks
    are black and white.

    Raises:
        DataError: `out` is not empty or cannot be written, or no sequence could be.
    """
    claim(out)
    done: list[str] = []
    left_out: dict[str, str] = {}
    for name in names:
        try:
            _write(frames / name, masks / name, out / name, truth)
            done.append(name)
        except DataError as error:
            left_out[name] = str(error)
    if not done:
        raise DataError(f"none of {len(names)} sequences can be written; {names[0]}: {left_out[names[0]]}")
    write_list(out, done)
    return Made(tuple(done), left_out)


def _write(frames: Path, masks: Path, folder: Path, truth: Truth) -> None:
    images, labels = image_paths(frames), image_paths(masks)
    if len(images) != len(labels):
        raise DataError(f"{len(images)} frames in {frames}, but {len(labels)} masks in {masks}")
    width, height = size = frame_size(images[0])
    suffix = _SUFFIXES.get(images[0].suffix.lower())
    if suffix is None or any(_SUFFIXES.get(path.suffix.lower()) != suffix for path in images):
        raise DataError(f"{frames}: VOT's images are all JPEG or all PNG")
    stored = [_stored(path, (height, width)) for path in labels]
    objects = label_maps(np.stack([values for values, _ in stored]), any(palette for _, palette in stored))
    shown = (objects > 0) & (objects < VOID)
    run = longest_run(np.asarray(shown.any(axis=(1, 2))))
    if run.start == run.stop:
        raise DataError(f"{masks}: no mask has an object")
    boxes = np.stack([_WAYS[truth](mask) for mask in shown[run]]) - PIXEL_CENTRE
    write_sequence(folder, (_bytes(path) for path in images[run]), suffix, size, boxes, {})


def _bytes(path: Path) -> bytes:
    try:
        return read_regular(path, MOST_IMAGE)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _stored(path: Path, shape: tuple[int, int]) -> tuple[NDArray[np.uint8], bool]:
    try:
        values, palette = read_stored(path)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    if values.shape != shape:
        raise DataError(f"{path}: is {values.shape[1]}x{values.shape[0]}, its frame {shape[1]}x{shape[0]}")
    return values, palette
