"""The official YouTube-VIS procedure (youtubevos/cocoapi, `ytvoseval.py`), written plainly: what ours is timed against.

Works on parsed JSON with compressed masks, one pair and frame at a time: a merge for the intersection and one for the
union, each measured by pycocotools; then COCO's greedy matching for every video, category and size, and its precision
at 101 recalls. No crowds here.
"""

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

Entry = dict[str, Any]
THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
SIZES = {"AP": (0, 1e10), "APs": (0, 128**2), "APm": (128**2, 256**2), "APl": (256**2, 1e10)}
MOST = 100


def plain_average_precision(ground_truth: Entry, results: list[Entry]) -> dict[str, float]:
    """AP over all objects and by size."""
    truths, predictions = _grouped(ground_truth["annotations"]), _grouped(results)
    for group in [*truths.values(), *predictions.values()]:
        for entry in group:
            entry["size"] = _mean_area(entry["segmentations"])
    places = [(v["id"], c["id"]) for v in ground_truth["videos"] for c in ground_truth["categories"]]
    for place in places:
        predictions[place] = sorted(predictions[place], key=lambda entry: -entry["score"])[:MOST]
    overlaps = {place: _overlaps(predictions[place], truths[place]) for place in places}
    scores = {}
    for name, size in SIZES.items():
        found = [
            _category_precision(
                [
                    _judged(predictions[video["id"], category["id"]], truths[video["id"], category["id"]], iou, size)
                    for video in ground_truth["videos"]
                    for iou in [overlaps[video["id"], category["id"]]]
                ]
            )
            for category in ground_truth["categories"]
        ]
        defined = [precision for precision in found if precision is not None]
        scores[name] = float(np.mean(defined)) if defined else -1.0
    return scores


def _grouped(entries: list[Entry]) -> dict[tuple[int, int], list[Entry]]:
    groups = defaultdict(list)
    for entry in entries:
        groups[entry["video_id"], entry["category_id"]].append(entry)
    return groups


def _mean_area(segmentations: list[Entry | None]) -> float:
    areas = [coco_mask.area(rle) for rle in segmentations if rle]
    shown = [area for area in areas if area]
    return float(np.mean(shown)) if shown else 0.0


def _overlaps(predictions: list[Entry], truths: list[Entry]) -> NDArray[np.float64]:
    iou = np.zeros((len(predictions), len(truths)))
    for i, j in np.ndindex(iou.shape):
        iou[i, j] = _sequence_iou(predictions[i]["segmentations"], truths[j]["segmentations"])
    return iou


def _sequence_iou(first: list[Entry | None], second: list[Entry | None]) -> float:
    intersection = union = 0.0
    for a, b in zip(first, second, strict=True):
        if a and b:
            intersection += coco_mask.area(coco_mask.merge([a, b], True))
            union += coco_mask.area(coco_mask.merge([a, b], False))
        elif a or b:
            union += coco_mask.area(a or b)
    return intersection / union if union > 0 else 0.0


def _judged(
    predictions: list[Entry], truths: list[Entry], overlaps: NDArray[np.float64], size: tuple[float, float]
) -> tuple[list[float], NDArray[np.bool_], NDArray[np.bool_], int]:
    """Scores [D], matched and ignored [T, D] of one video and category, and the number of objects to be found."""
    outside = [not size[0] <= truth["size"] <= size[1] for truth in truths]
    order = sorted(range(len(truths)), key=lambda index: outside[index])
    matched = np.zeros((len(THRESHOLDS), len(predictions)), dtype=np.bool_)
    ignored = np.zeros_like(matched)
    for level, threshold in enumerate(THRESHOLDS):
        taken: set[int] = set()
        for position, prediction in enumerate(predictions):
            best, chosen = min(threshold, 1 - 1e-10), None
            for index in order:
                if index in taken:
                    continue
                if chosen is not None and not outside[chosen] and outside[index]:
                    break
                if overlaps[position, index] >= best:
                    best, chosen = overlaps[position, index], index
            if chosen is None:
                ignored[level, position] = not size[0] <= prediction["size"] <= size[1]
                continue
            taken.add(chosen)
            matched[level, position] = True
            ignored[level, position] = outside[chosen]
    return [prediction["score"] for prediction in predictions], matched, ignored, len(truths) - sum(outside)


def _category_precision(
    videos: list[tuple[list[float], NDArray[np.bool_], NDArray[np.bool_], int]],
) -> NDArray[np.float64] | None:
    """Precision [T, R] of one category over all videos; None without objects to be found."""
    positives = sum(video[3] for video in videos)
    if positives == 0:
        return None
    order = np.argsort([-score for video in videos for score in video[0]], kind="mergesort")
    matched = np.concatenate([video[1] for video in videos], axis=1)[:, order]
    ignored = np.concatenate([video[2] for video in videos], axis=1)[:, order]
    precisions = np.zeros((len(THRESHOLDS), len(RECALLS)))
    for level in range(len(THRESHOLDS)):
        true = np.cumsum(matched[level] & ~ignored[level]).astype(np.float64)
        false = np.cumsum(~matched[level] & ~ignored[level])
        precision = true / (true + false + np.spacing(1))
        for index in range(len(precision) - 1, 0, -1):
            precision[index - 1] = max(precision[index - 1], precision[index])
        for point, index in enumerate(np.searchsorted(true / positives, RECALLS, side="left")):
            if index < len(precision):
                precisions[level, point] = precision[index]
    return precisions
