"""Run-length masks: the form that every mask has from the moment its frame is finished.

All functions are thin over pycocotools. An :class:`Rle` is column-major COCO run-length encoding with `counts`
as compressed text (`str`), so it goes into JSON as it is. Coordinates are pixels from the top-left corner.
"""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from vis_pipeline import run_lengths
from vis_pipeline.errors import DataError


class Rle(TypedDict):
    """COCO compressed run-length encoding: `size` is [height, width], `counts` the compressed text."""

    size: list[int]
    counts: str


def encode(masks: NDArray[np.bool_]) -> list[Rle]:
    """Encode a stack of masks, bool or uint8 [N, H, W] (N may be 0)."""
    if masks.shape[0] == 0:
        return []
    fortran = np.asfortranarray(masks.transpose(1, 2, 0), dtype=np.uint8)
    return [_text(rle) for rle in coco_mask.encode(fortran)]


def decode(rle: Rle) -> NDArray[np.bool_]:
    """Decode one mask to bool [H, W]."""
    return np.asarray(coco_mask.decode(rle), dtype=np.bool_)


def from_segmentation(segmentation: Any, height: int, width: int) -> Rle:
    """Bring any COCO segmentation (compressed RLE, uncompressed RLE, polygons) to an :class:`Rle`.

    Raises:
        DataError: the value is none of the three, its size is not (height, width), or its runs do not fill that size.
    """
    if isinstance(segmentation, dict) and "counts" in segmentation:
        size = segmentation.get("size")
        if list(size or []) != [height, width]:
            raise DataError(f"mask of size {size}, expected [{height}, {width}]")
        return _checked(segmentation["counts"], height, width)
    if isinstance(segmentation, list) and all(isinstance(polygon, list) for polygon in segmentation):
        if not segmentation:
            return encode(np.zeros((1, height, width), dtype=np.bool_))[0]
        return _text(coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width)))
    raise DataError(f"segmentation of type {type(segmentation).__name__}, expected RLE or polygons")


def area(rles: Sequence[Rle]) -> NDArray[np.float64]:
    """Pixel counts, float64 [N]."""
    # pycocotools 2.0.11 with numpy 2 fails on more than 255 masks at once: it puts their number into a uint8.
    parts = [coco_mask.area(list(rles[start : start + 255])) for start in range(0, len(rles), 255)]
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)


def bounding_boxes(rles: Sequence[Rle]) -> NDArray[np.float64]:
    """Min-max boxes as x, y, w, h in pixels, float64 [N, 4]; an empty mask gives zeros (SiamMask 2019, section 3.4)."""
    return np.asarray(coco_mask.toBbox(list(rles)), dtype=np.float64) if rles else np.zeros((0, 4))


def iou_matrix(first: Sequence[Rle], second: Sequence[Rle]) -> NDArray[np.float64]:
    """Mask IoU of every pair, float64 [len(first), len(second)]; two empty masks have IoU 0."""
    if not first or not second:
        return np.zeros((len(first), len(second)))
    ious = np.asarray(coco_mask.iou(list(first), list(second), [0] * len(second)), dtype=np.float64)
    return np.nan_to_num(ious, nan=0.0)


def _checked(counts: Any, height: int, width: int) -> Rle:
    if isinstance(counts, list):
        runs = run_lengths.from_list(counts)
    elif isinstance(counts, (str, bytes)):
        counts = counts if isinstance(counts, str) else counts.decode("latin-1")
        runs = run_lengths.parse(counts)
    else:
        raise DataError(f"damaged RLE: `counts` of type {type(counts).__name__}")
    if not run_lengths.is_canonical(runs, height * width):
        counts = run_lengths.canonical(runs).tolist()
    if isinstance(counts, str):
        return {"size": [height, width], "counts": counts}
    return _text(coco_mask.frPyObjects({"size": [height, width], "counts": counts}, height, width))


def _text(rle: dict[str, Any]) -> Rle:
    counts = rle["counts"]
    return {
        "size": [int(side) for side in rle["size"]],
        "counts": counts.decode("ascii") if isinstance(counts, bytes) else counts,
    }
