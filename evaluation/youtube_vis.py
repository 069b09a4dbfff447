"""AP and AR of YouTube-VIS, equal to the official evaluator (youtubevos/cocoapi, `ytvoseval.py`) on every sound input.

Two of its faults are not repeated. A ground truth may have the id 0, which the official code takes for "no match"; and
a prediction that is shorter than its video, which the official code compares over its own few frames only, is an error.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evaluation.matching import UNMATCHED, match
from evaluation.precision_recall import UNDEFINED, final_recall, precision_at
from evaluation.scores import CategoryScores, Figures, Scores
from vis_pipeline.data.fit import annotation_name, checked_annotations, entry_name, require_fit
from vis_pipeline.errors import DataError
from vis_pipeline.masks.track_iou import DamagedTrackError, TrackRuns, mean_areas, parse_tracks, track_iou
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10, dtype=np.float64)
RECALL_POINTS = np.linspace(0.0, 1.0, 101, dtype=np.float64)
# In pixels, closed at both ends: an object of exactly 128 x 128 is both small and medium.
AREA_RANGES = np.array([(0, 1e10), (0, 128**2), (128**2, 256**2), (256**2, 1e10)])
ALL, SMALL, MEDIUM, LARGE = range(4)
# Predictions of one category in one video that count, best score first.
PREDICTION_LIMITS = (1, 10, 100)


@dataclass(frozen=True)
class VideoOverlaps:
    """One video's predictions and ground truths of all categories, and how well they fit each other.

    The D predictions are those of :func:`that_count`, best score first. The G ground truths have the order of the file.

    Attributes:
        scores: float64 [D].
        categories: int64 [D], index of the category among those of the split, sorted by id.
        sizes: float64 [D], mean pixels over the frames with pixels.
        truth_ids: int64 [G], the file's own.
        truth_categories: int64 [G], as `categories`.
        truth_sizes: float64 [G], as `sizes`, from the file's own `areas` where it has them.
        crowd: bool [G].
        iou: float64 [D, G]; 0 for two of different categories, and for some of those below the lowest threshold.
    """

    scores: NDArray[np.float64]
    categories: NDArray[np.int64]
    sizes: NDArray[np.float64]
    truth_ids: NDArray[np.int64]
    truth_categories: NDArray[np.int64]
    truth_sizes: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    iou: NDArray[np.float64]


def evaluate(results: Sequence[TrackResult], split: Split) -> Scores:
    """Score predictions against a split's annotations; no results at all are legal and score 0.

    Raises:
        DataError: the split has no annotations or no videos, or an annotation (its id is named) or a result (its index
            is) does not fit it.
    """
    return score_overlaps(measure_overlaps(results, split), split.categories)


def measure_overlaps(results: Sequence[TrackResult], split: Split) -> list[VideoOverlaps]:
    """What the matching needs to know of each video, in the order of their ids.

    Raises:
        DataError: as :func:`evaluate`.
    """
    annotations = checked_annotations(split)
    if not split.videos:
        raise DataError("the split given lists no videos")
    require_fit(results, split)
    predicted, annotated = by_video(results), by_video(annotations)
    order = {category.id: index for index, category in enumerate(_in_order(split.categories))}

    def measure(video: Video) -> VideoOverlaps:
        return _video_overlaps(predicted[video.id], annotated[video.id], video, order)

    # The kernels run without Python's lock, so threads serve here.
    with ThreadPoolExecutor() as pool:
        return list(pool.map(measure, sorted(split.videos, key=lambda video: video.id)))


_Entry = TypeVar("_Entry", TrackResult, Annotation)


def by_video(entries: Sequence[_Entry]) -> dict[int, list[tuple[int, _Entry]]]:
    """Entries by video id, in the order of the file, each with its index there."""
    groups: dict[int, list[tuple[int, _Entry]]] = defaultdict(list)
    for index, entry in enumerate(entries):
        groups[entry.video_id].append((index, entry))
    return groups


def that_count(
    predicted: Sequence[tuple[int, TrackResult]],
) -> tuple[list[tuple[int, TrackResult]], NDArray[np.int64]]:
    """A video's predictions without those beyond the best 100 of a category, best score first.

    Each comes with its index in the file; int64 [D] gives the place of each among all of the video, from 0 by falling
    score.
    """
    ranked = sorted(predicted, key=lambda entry: -entry[1].score)
    ranks = _ranks(np.array([result.category_id for _, result in ranked], dtype=np.int64))
    places = np.flatnonzero(ranks < PREDICTION_LIMITS[-1])
    return [ranked[place] for place in places], places


def _ranks(categories: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each of N predictions among those of its category, from 0, int64 [N], from their categories [N]."""
    order = np.argsort(categories, kind="stable")
    ranks = np.empty(len(categories), dtype=np.int64)
    ranks[order] = np.arange(len(categories)) - np.searchsorted(categories, categories[order], sorter=order)
    return ranks


def _in_order(categories: Sequence[Category]) -> list[Category]:
    return sorted(categories, key=lambda category: category.id)


def _video_overlaps(
    predicted: Sequence[tuple[int, TrackResult]],
    annotated: Sequence[tuple[int, Annotation]],
    video: Video,
    order: Mapping[int, int],
) -> VideoOverlaps:
    ranked, _ = that_count(predicted)
    categories = np.array([order[result.category_id] for _, result in ranked], dtype=np.int64)
    truth_categories = np.array([order[truth.category_id] for _, truth in annotated], dtype=np.int64)

    predictions = parse_entries(ranked, video)
    truths = parse_entries(annotated, video)
    same_category = categories[:, None] == truth_categories[None, :]
    return VideoOverlaps(
        scores=np.array([result.score for _, result in ranked], dtype=np.float64),
        categories=categories,
        sizes=mean_areas(predictions.areas),
        truth_ids=np.array([truth.id for _, truth in annotated], dtype=np.int64),
        truth_categories=truth_categories,
        truth_sizes=truth_sizes([truth for _, truth in annotated], truths.areas),
        crowd=np.array([truth.iscrowd for _, truth in annotated], dtype=np.bool_),
        iou=track_iou(predictions, truths, IOU_THRESHOLDS.min(), same_category),
    )


def parse_entries(entries: Sequence[tuple[int, _Entry]], video: Video) -> TrackRuns:
    """Read the masks of one video's entries, each with its index in the file.

    Raises:
        DataError: a mask is damaged; the result's index or the annotation's id, the video and the frame are named.
    """
    try:
        return parse_tracks([entry.segmentations for _, entry in entries], video.length)
    except DamagedTrackError as error:
        index, entry = entries[error.track]
        name = annotation_name(entry) if isinstance(entry, Annotation) else entry_name(index, video.id)
        raise DataError(f"{name}: {error.fault}") from error


def truth_sizes(annotations: Sequence[Annotation], mask_areas: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean area of each ground truth, float64 [G]: by the file's own `areas`, and by the masks where it has none."""
    means = mean_areas(mask_areas)
    for index, annotation in enumerate(annotations):
        if annotation.areas is not None:
            shown = [area for area in annotation.areas if area]
            means[index] = np.mean(shown) if shown else 0.0
    return means


@dataclass(frozen=True)
class _Verdicts:
    """What became of one video's D predictions in A area ranges at T thresholds.

    Attributes:
        true: bool [A, T, D], the prediction has a ground truth that counts.
        false: bool [A, T, D], it has none, and counts itself.
        positives: int64 [A, K], ground truths to be found in each category.
    """

    true: NDArray[np.bool_]
    false: NDArray[np.bool_]
    positives: NDArray[np.int64]


def _judge(video: VideoOverlaps, counted: Collection[int] | None, category_count: int) -> _Verdicts:
    """Match one video; where `counted` is given, only the ground truths of these ids count."""
    ignored = video.crowd | _outside_ranges(video.truth_sizes)
    if counted is not None:
        ignored |= ~np.isin(video.truth_ids, list(counted))
    matches = match(video.iou, ignored, video.crowd, IOU_THRESHOLDS)
    matched = matches != UNMATCHED
    # UNMATCHED picks the column that is put on at the end.
    padded = np.pad(ignored, ((0, 0), (0, 1)))
    to_ignored = padded[np.arange(len(AREA_RANGES))[:, None, None], matches]
    positives = [np.bincount(video.truth_categories[~row], minlength=category_count) for row in ignored]
    return _Verdicts(
        true=matched & ~to_ignored,
        false=~matched & ~_outside_ranges(video.sizes)[:, None, :],
        positives=np.array(positives),
    )


def _outside_ranges(areas: NDArray[np.float64]) -> NDArray[np.bool_]:
    low, high = AREA_RANGES[:, :1], AREA_RANGES[:, 1:]
    outside: NDArray[np.bool_] = (areas < low) | (areas > high)
    return outside


def score_overlaps(
    videos: Sequence[VideoOverlaps], categories: Sequence[Category], counted: Collection[int] | None = None
) -> Scores:
    """Match the predictions of all videos (at least one, in the order of their ids) and average over `categories`.

    With `counted`, ids of annotations, all other ground truths are ignored: finding them counts neither for nor against
    a prediction, and each can be found once (a crowd any number of times, as ever).
    """
    categories = _in_order(categories)
    verdicts = [_judge(video, counted, len(categories)) for video in videos]
    true = np.concatenate([verdict.true for verdict in verdicts], axis=2)
    false = np.concatenate([verdict.false for verdict in verdicts], axis=2)
    positives = np.sum([verdict.positives for verdict in verdicts], axis=0)
    category = np.concatenate([video.categories for video in videos])
    rank = np.concatenate([_ranks(video.categories) for video in videos])
    # Of equal scores those of the earlier video come first.
    order = np.argsort(-np.concatenate([video.scores for video in videos]), kind="stable")

    precision = np.full((len(categories), len(AREA_RANGES), len(IOU_THRESHOLDS), len(RECALL_POINTS)), UNDEFINED)
    recall = {limit: np.full(precision.shape[:3], UNDEFINED) for limit in PREDICTION_LIMITS}
    for index in range(len(categories)):
        chosen = order[category[order] == index]
        precision[index] = precision_at(RECALL_POINTS, true[..., chosen], false[..., chosen], positives[:, index])
        for limit in PREDICTION_LIMITS:
            recall[limit][index] = final_recall(true[..., chosen[rank[chosen] < limit]], positives[:, index])

    def figures(which: slice) -> Figures:
        return _figures(precision[which], {limit: values[which] for limit, values in recall.items()})

    by_category = tuple(
        CategoryScores(**vars(figures(slice(index, index + 1))), id=category.id, name=category.name)
        for index, category in enumerate(categories)
    )
    return Scores(**vars(figures(slice(None))), categories=by_category)


def _figures(precision: NDArray[np.float64], recall: Mapping[int, NDArray[np.float64]]) -> Figures:
    return Figures(
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
    )


def _mean(values: NDArray[np.float64]) -> float:
    defined = values[values > UNDEFINED]
    return float(defined.mean()) if defined.size else UNDEFINED
