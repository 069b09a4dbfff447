"""AP and AR of YouTube-VIS, equal to the official evaluator (youtubevos/cocoapi, `ytvoseval.py`) on every sound input.

Two of its faults are not repeated. A ground truth may have the id 0, which the official code takes for "no match"; and
a prediction that is shorter than its video, which the official code compares over its own few frames only, is an error.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from evaluation.iou import mask_areas, mean_areas, track_iou
from evaluation.matching import UNMATCHED, match
from evaluation.precision_recall import UNDEFINED, VideoOutcome, final_recall, merged_curves, precision_at
from vis_pipeline.data.youtube_vis import Annotation, Category, Split, TrackResult, Video
from vis_pipeline.errors import DataError

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10, dtype=np.float64)
RECALL_POINTS = np.linspace(0.0, 1.0, 101, dtype=np.float64)
# In pixels, closed at both ends: an object of exactly 128 x 128 is both small and medium.
AREA_RANGES = np.array([(0, 1e10), (0, 128**2), (128**2, 256**2), (256**2, 1e10)])
ALL, SMALL, MEDIUM, LARGE = range(4)
# Predictions of one category in one video that count, best score first.
PREDICTION_LIMITS = (1, 10, 100)


@dataclass(frozen=True)
class Scores:
    """What the official evaluator prints, as fractions; -1 where no ground truth makes a number possible.

    AP is the mean precision over 101 recalls, the IoU thresholds 0.50 to 0.95 in steps of 0.05, and the categories that
    have ground truth; AR the mean final recall with at most 1, 10 or 100 predictions a video and category. The letters
    s, m and l stand for objects up to 128^2, up to 256^2, and of more pixels (mean over the frames where they show).

    Attributes:
        per_category: AP by category name, in the order of the category ids; None where there is no ground truth.
    """

    AP: float
    AP50: float
    AP75: float
    APs: float
    APm: float
    APl: float
    AR1: float
    AR10: float
    AR100: float
    ARs: float
    ARm: float
    ARl: float
    per_category: Mapping[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """The scores as plain JSON values under their names."""
        return asdict(self)


def evaluate(results: Sequence[TrackResult], split: Split) -> Scores:
    """Score predictions against a split's annotations; no results at all are legal and score 0.

    Raises:
        DataError: the split has no annotations, or a result does not fit it (its index and video are named).
    """
    if split.annotations is None:
        raise DataError(
            "the split given is a test form without ground truth (`annotations` is absent or null):"
            " give a split that has annotations"
        )
    _require_fit(results, split)
    categories = sorted(split.categories, key=lambda category: category.id)
    return _summarise(_outcomes(results, split.annotations, split.videos), categories)


def _require_fit(results: Sequence[TrackResult], split: Split) -> None:
    videos = split.videos_by_id()
    categories = {category.id for category in split.categories}
    for index, result in enumerate(results):
        fault = _fault(result, videos, categories)
        if fault is not None:
            raise DataError(f"result {index} (video {result.video_id}): {fault}")


def _fault(result: TrackResult, videos: Mapping[int, Video], categories: set[int]) -> str | None:
    video = videos.get(result.video_id)
    if video is None:
        return "the ground truth has no such video"
    if result.category_id not in categories:
        return f"the ground truth has no category {result.category_id}"
    if not math.isfinite(result.score):
        return f"score {result.score} is not a finite number"
    if len(result.segmentations) != video.length:
        return f"{len(result.segmentations)} segmentations, but the video has {video.length} frames (null where absent)"
    size = [video.height, video.width]
    for frame, rle in enumerate(result.segmentations):
        if rle is not None and rle["size"] != size:
            return f"frame {frame}: mask of size {rle['size']}, but the video is {size} (height, width)"
    return None


def _outcomes(
    results: Sequence[TrackResult], annotations: Sequence[Annotation], videos: Sequence[Video]
) -> dict[int, list[VideoOutcome]]:
    """By category id, in the order of the video ids, the videos in which that category is predicted or annotated."""
    predicted, annotated = _by_video_and_category(results), _by_video_and_category(annotations)
    video_by_id = {video.id: video for video in videos}
    outcomes: dict[int, list[VideoOutcome]] = defaultdict(list)
    for key in sorted(predicted.keys() | annotated.keys()):
        video_id, category_id = key
        outcome = _outcome(predicted.get(key, []), annotated.get(key, []), video_by_id[video_id])
        outcomes[category_id].append(outcome)
    return outcomes


_Entry = TypeVar("_Entry", TrackResult, Annotation)


def _by_video_and_category(entries: Sequence[_Entry]) -> dict[tuple[int, int], list[_Entry]]:
    """Entries by video and category id, each list in the order of the file."""
    groups: dict[tuple[int, int], list[_Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.video_id, entry.category_id].append(entry)
    return groups


def _outcome(predictions: Sequence[TrackResult], annotations: Sequence[Annotation], video: Video) -> VideoOutcome:
    """Match one video's predictions of one category to its ground truth, in every area range at every threshold."""
    predictions = sorted(predictions, key=lambda prediction: -prediction.score)[: PREDICTION_LIMITS[-1]]
    predicted = [prediction.segmentations for prediction in predictions]
    truth = [annotation.segmentations for annotation in annotations]
    predicted_areas, truth_areas = mask_areas(predicted, video.length), mask_areas(truth, video.length)

    crowd = np.array([annotation.iscrowd for annotation in annotations], dtype=np.bool_)
    ignored_truth = crowd | _outside_ranges(_ground_truth_areas(annotations, truth_areas))
    iou = track_iou(predicted, truth, predicted_areas, truth_areas)
    matches = match(iou, ignored_truth, crowd, IOU_THRESHOLDS)

    matched = matches != UNMATCHED
    outside = _outside_ranges(mean_areas(predicted_areas))[:, None, :]
    return VideoOutcome(
        scores=np.array([prediction.score for prediction in predictions], dtype=np.float64),
        matched=matched,
        ignored=np.where(matched, _at(ignored_truth, matches), outside),
        positives=np.count_nonzero(~ignored_truth, axis=1),
    )


def _ground_truth_areas(annotations: Sequence[Annotation], mask_areas: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean area of each ground truth, float64 [G]: by the file's own `areas`, and by the masks where it has none."""
    means = mean_areas(mask_areas)
    for index, annotation in enumerate(annotations):
        if annotation.areas is not None:
            shown = [area for area in annotation.areas if area]
            means[index] = np.mean(shown) if shown else 0.0
    return means


def _outside_ranges(areas: NDArray[np.float64]) -> NDArray[np.bool_]:
    low, high = AREA_RANGES[:, :1], AREA_RANGES[:, 1:]
    outside: NDArray[np.bool_] = (areas < low) | (areas > high)
    return outside


def _at(flags: NDArray[np.bool_], indices: NDArray[np.int64]) -> NDArray[np.bool_]:
    """`flags` [A, G] at `indices` [A, T, D]; the value is of no use where the index is `UNMATCHED`."""
    if flags.shape[1] == 0:
        return np.zeros(indices.shape, dtype=np.bool_)
    found: NDArray[np.bool_] = flags[np.arange(len(flags))[:, None, None], indices]
    return found


def _summarise(outcomes: Mapping[int, Sequence[VideoOutcome]], categories: Sequence[Category]) -> Scores:
    """Average over the categories; the arrays are precision [K, A, T, R] and, for each limit, recall [K, A, T]."""
    precision = np.full((len(categories), len(AREA_RANGES), len(IOU_THRESHOLDS), len(RECALL_POINTS)), UNDEFINED)
    recall = {limit: np.full(precision.shape[:3], UNDEFINED) for limit in PREDICTION_LIMITS}
    for index, category in enumerate(categories):
        if category.id not in outcomes:
            continue
        for limit in PREDICTION_LIMITS:
            merged = merged_curves(outcomes[category.id], limit)
            recall[limit][index] = final_recall(merged)
            if limit == PREDICTION_LIMITS[-1]:
                precision[index] = precision_at(merged, RECALL_POINTS)
    per_category = [_mean(values) for values in precision[:, ALL]]
    return Scores(
        AP=_mean(precision[:, ALL]),
        AP50=_mean(precision[:, ALL, 0]),
        AP75=_mean(precision[:, ALL, 5]),
        APs=_mean(precision[:, SMALL]),
        APm=_mean(precision[:, MEDIUM]),
        APl=_mean(precision[:, LARGE]),
        AR1=_mean(recall[1][:, ALL]),
        AR10=_mean(recall[10][:, ALL]),
        AR100=_mean(recall[100][:, ALL]),
        ARs=_mean(recall[100][:, SMALL]),
        ARm=_mean(recall[100][:, MEDIUM]),
        ARl=_mean(recall[100][:, LARGE]),
        per_category={
            category.name: None if value == UNDEFINED else value
            for category, value in zip(categories, per_category, strict=True)
        },
    )


def _mean(values: NDArray[np.float64]) -> float:
    defined = values[values > UNDEFINED]
    return float(defined.mean()) if defined.size else UNDEFINED
