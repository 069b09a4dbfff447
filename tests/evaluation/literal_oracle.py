"""The YouTube-VIS protocol written out literally: dense masks, plain loops, no regard for speed.

Works on the parsed JSON of ground truth and results, so it shares only pycocotools' decoder with the package.
"""

from functools import cache

import numpy as np
from pycocotools import mask as coco_mask

# The official steps, not the decimal ones: some differ in the last bit.
THRESHOLDS = [float(value) for value in np.linspace(0.5, 0.95, 10)]
SIZES = {"": (0, 10**10), "s": (0, 16384), "m": (16384, 65536), "l": (65536, 10**10)}


def oracle_scores(ground_truth: dict, results: list) -> dict:
    """The JSON that the command should write."""
    categories = sorted(ground_truth["categories"], key=lambda category: category["id"])
    scenes = {category["id"]: _scenes(ground_truth, results, category["id"]) for category in categories}
    precision, recall = {}, {}
    for category in scenes:
        for size, limit in (("", 1), ("", 10), ("", 100), ("s", 100), ("m", 100), ("l", 100)):
            for threshold in THRESHOLDS:
                where = (category, size, limit, threshold)
                precision[where], recall[where] = _category_curve(scenes[category], size, limit, threshold)

    def figures(ids):
        def average_precision(size, thresholds):
            found = [precision[i, size, 100, t] for i in ids for t in thresholds]
            return _mean([value for values in found if values is not None for value in values])

        def average_recall(size, limit):
            found = [recall[i, size, limit, t] for i in ids for t in THRESHOLDS]
            return _mean([value for value in found if value is not None])

        return {
            "AP": average_precision("", THRESHOLDS),
            "AP50": average_precision("", THRESHOLDS[:1]),
            "AP75": average_precision("", THRESHOLDS[5:6]),
            "APs": average_precision("s", THRESHOLDS),
            "APm": average_precision("m", THRESHOLDS),
            "APl": average_precision("l", THRESHOLDS),
            "AR1": average_recall("", 1),
            "AR10": average_recall("", 10),
            "AR100": average_recall("", 100),
            "ARs": average_recall("s", 100),
            "ARm": average_recall("m", 100),
            "ARl": average_recall("l", 100),
        }

    by_category = [{**figures([c["id"]]), "id": c["id"], "name": c["name"]} for c in categories]
    return {
        **figures([c["id"] for c in categories]),
        "per_category": {c["name"]: None if c["AP"] == -1 else c["AP"] for c in by_category},
        "categories": by_category,
    }


def _mean(values):
    return sum(values) / len(values) if values else -1


def _scenes(ground_truth, results, category):
    """One category's ground truths and predictions, video by video, with the overlap of every pair."""
    scenes = []
    for video in sorted(ground_truth["videos"], key=lambda video: video["id"]):
        truths = [_truth(a) for a in ground_truth["annotations"] if _belongs(a, video, category)]
        predictions = [_prediction(r) for r in results if _belongs(r, video, category)]
        for prediction in predictions:
            prediction["overlaps"] = [_video_iou(prediction["masks"], truth["masks"]) for truth in truths]
        scenes.append((truths, _by_falling_score(predictions)[:100]))
    return scenes


def _category_curve(scenes, size, limit, threshold):
    """(101 precisions, final recall) of one category, or (None, None) where no ground truth counts."""
    entries, positives = [], 0
    for truths, predictions in scenes:
        for truth in truths:
            truth["out"] = truth["crowd"] or not _inside(truth["size"], size)
            truth["used"] = False
        positives += sum(not truth["out"] for truth in truths)
        for prediction in predictions:
            _decide(prediction, truths, size, threshold)
        entries += predictions[:limit]
    if positives == 0:
        return None, None
    precisions, recalls, right, wrong = [], [], 0, 0
    for entry in _by_falling_score(entries):
        if entry["verdict"] == "right":
            right += 1
        if entry["verdict"] == "wrong":
            wrong += 1
        precisions.append(right / (right + wrong + np.spacing(1)))
        recalls.append(right / positives)
    return _interpolate(precisions, recalls), recalls[-1] if recalls else 0.0


def _by_falling_score(entries):
    ordered = []
    for entry in entries:
        place = len(ordered)
        while place > 0 and ordered[place - 1]["score"] < entry["score"]:
            place -= 1
        ordered.insert(place, entry)
    return ordered


def _interpolate(precisions, recalls):
    values = []
    for step in np.linspace(0, 1, 101):
        beyond = [p for p, r in zip(precisions, recalls, strict=True) if r >= step]
        values.append(max(beyond) if beyond else 0.0)
    return values


def _decide(prediction, truths, size, threshold):
    best = None
    for ignored in (False, True):
        needed = min(threshold, 1 - 1e-10)
        for truth, overlap in zip(truths, prediction["overlaps"], strict=True):
            available = truth["out"] == ignored and (truth["crowd"] or not truth["used"])
            if available and overlap >= needed:
                best, needed = truth, overlap
        if best is not None:
            break
    if best is not None:
        best["used"] = True
        prediction["verdict"] = "ignored" if best["out"] else "right"
    else:
        prediction["verdict"] = "wrong" if _inside(prediction["size"], size) else "ignored"


def _inside(area, size):
    low, high = SIZES[size]
    return low <= area <= high


def _belongs(entry, video, category):
    return entry["video_id"] == video["id"] and entry["category_id"] == category


def _truth(annotation):
    masks = [_dense(s) for s in annotation["segmentations"]]
    areas = annotation["areas"] if "areas" in annotation else [None if m is None else int(m.sum()) for m in masks]
    return {"masks": masks, "size": _mean_shown(areas), "crowd": bool(annotation.get("iscrowd", 0))}


def _prediction(result):
    masks = [_dense(s) for s in result["segmentations"]]
    size = _mean_shown([None if m is None else int(m.sum()) for m in masks])
    return {"masks": masks, "size": size, "score": result["score"]}


def _mean_shown(areas):
    shown = [area for area in areas if area is not None and area != 0]
    return sum(shown) / len(shown) if shown else 0


def _dense(segmentation):
    return None if segmentation is None else _decoded(tuple(segmentation["size"]), segmentation["counts"])


@cache
def _decoded(size, counts):
    return coco_mask.decode({"size": list(size), "counts": counts}).astype(bool)


def _video_iou(first, second):
    common = joined = 0
    for a, b in zip(first, second, strict=True):
        if a is not None and b is not None:
            common += int((a & b).sum())
            joined += int((a | b).sum())
        elif a is not None or b is not None:
            joined += int((b if a is None else a).sum())
    return common / joined if joined else 0.0
