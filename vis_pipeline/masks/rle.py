"""Run-length masks: the form that every mask has from the moment its frame is finished.

All functions are thin over pycocotools. An :class:`Rle` is column-major COCO run-length encoding with `counts`
as compressed text (`str`), so it goes into JSON as it is. Coordinates are pixels from the top-left corner.
"""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from vis_pipeline.errors import DataError
from vis_pipeline.masks import polygons, run_lengths


class Rle(TypedDict):
    """COCO compressed run-length encoding: `size` is [height, width], `counts` the compressed text."""

    size: list[int]
    counts: str


def encode(masks: NDArray[np.bool_]) -> list[Rle]:
    """Encode a stack of masks, bool or uint8 [N, H, W] (N may be 0)."""
    return [_text(rle) for mask in masks for rle in coco_mask.encode(_column_major(mask))]


def encode_windows(
    windows: Sequence[NDArray[np.bool_]], corners: NDArray[np.int64], height: int, width: int
) -> list[Rle]:
    """Encode masks of a frame of height x width pixels, all of whose pixels lie in their windows, bool [h, w].

    `corners`, int64 [N, 2], are x, y of the windows' top left pixels. The same text as :func:`encode` gives the whole
    masks, at the cost of the windows.
    """
    return [
        {"size": [height, width], "counts": run_lengths.text_of_window(window, x, y, height, width)}
        for window, (x, y) in zip(windows, corners.tolist(), strict=True)
    ]


def decode(rle: Rle) -> NDArray[np.bool_]:
    """Decode one mask to bool [H, W]."""
    return np.asarray(coco_mask.decode(rle), dtype=np.bool_)


def from_segmentation(segmentation: Any, height: int, width: int) -> Rle:
    """Bring any COCO segmentation (compressed RLE, uncompressed RLE, polygons) to an :class:`Rle`.

    Raises:
        DataError: the value is none of the three, its size is not (height, width), or its runs do not fill that size.
    """
    return _sound([_converted(segmentation, height, width)])[0]


def from_segmentations(segmentations: Sequence[Any], height: int, width: int) -> tuple[Rle | None, ...]:
    """Bring one segmentation a frame to :class:`Rle`, much faster than one by one; null and no polygons become None.

    Raises:
        DataError: as :func:`from_segmentation`, with the frame's index from 0.
    """
    rles: dict[int, Rle] = {}
    for frame, segmentation in enumerate(segmentations):
        if segmentation is not None and segmentation != []:
            try:
                rles[frame] = _converted(segmentation, height, width)
            except DataError as error:
                raise DataError(f"frame {frame}: {error}") from error
    try:
        sound = dict(zip(rles, _sound(list(rles.values())), strict=True))
    except run_lengths.DamagedRleError as error:
        raise DataError(f"frame {list(rles)[error.mask]}: {error}") from error
    return tuple(sound.get(frame) for frame in range(len(segmentations)))


def area(rles: Sequence[Rle]) -> NDArray[np.float64]:
    """Pixel counts, float64 [N]."""
    # pycocotools 2.0.11 with numpy 2 fails on more than 255 masks at once: it puts their number into a uint8.
    parts = [coco_mask.area(list(rles[start : start + 255])) for start in range(0, len(rles), 255)]
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)


def bounding_boxes(rles: Sequence[Rle]) -> NDArray[np.float64]:
    """Min-max boxes as x, y, w, h in pixels, float64 [N, 4]; an empty mask gives zeros (SiamMask 2019, section 3.4)."""
    return np.asarray(coco_mask.toBbox(list(rles)), dtype=np.float64) if rles else np.zeros((0, 4))


def _converted(segmentation: Any, height: int, width: int) -> Rle:
    if isinstance(segmentation, dict) and "counts" in segmentation:
        size, counts = segmentation.get("size"), segmentation["counts"]
        if size != [height, width]:
            raise DataError(f"mask of size {size}, expected [{height}, {width}]")
        if isinstance(counts, list):
            return _from_runs(counts, height, width)
        if isinstance(counts, (str, bytes)):
            return _text(segmentation)
        raise DataError(f"damaged RLE: `counts` of type {type(counts).__name__}")
    if isinstance(segmentation, list):
        polygons.require_sound(segmentation)
        if not segmentation:
            return encode(np.zeros((1, height, width), dtype=np.bool_))[0]
        return _text(coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width)))
    raise DataError(f"segmentation of type {type(segmentation).__name__}, expected RLE or polygons")


def _from_runs(counts: list[Any], height: int, width: int) -> Rle:
    if not all(type(count) is int and 0 <= count <= height * width for count in counts):
        raise DataError("damaged RLE: `counts` holds something else than numbers of pixels of this mask")
    return _text(coco_mask.frPyObjects({"size": [height, width], "counts": counts}, height, width))


def _sound(rles: Sequence[Rle]) -> list[Rle]:
    """The same masks, all of one size, in runs that pycocotools can be trusted with."""
    if not rles:
        return []
    height, width = rles[0]["size"]
    runs = run_lengths.parse([rle["counts"] for rle in rles], height, width)
    sound = list(rles)
    for mask in np.flatnonzero(~runs.canonical):
        sound[mask] = _from_runs(run_lengths.run_lengths(runs, mask, height * width), height, width)
    return sound


def _column_major(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A mask as pycocotools takes it, uint8 [H, W, 1]; one at a time, since this is a copy."""
    return np.asfortranarray(mask, dtype=np.uint8)[:, :, None]


def _text(rle: dict[str, Any]) -> Rle:
    counts = rle["counts"]
    return {
        "size": [int(side) for side in rle["size"]],
        "counts": counts.decode("latin-1") if isinstance(counts, bytes) else counts,
    }
