"""One video's predictions and ground truths of all classes, and how each lies on each: what every verdict rests on."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evaluation.iou import frame_intersections, parse_tracks
from evaluation.matching import UNMATCHED, match
from evaluation.youtube_vis import IOU_THRESHOLDS, PREDICTION_LIMITS
from vis_pipeline.data.youtube_vis import Annotation, Split, TrackResult, Video


@dataclass(frozen=True)
class Scene:
    """A video of F frames with D predictions that count, best score first, and G ground truths in the file's order.

    Attributes:
        video: the video.
        results: int64 [D], index in the list of all results.
        numbers: int64 [D], from 1 by falling score among all results of the video, as pictures number them.
        scores: float64 [D].
        categories: int64 [D], category ids.
        annotations: int64 [G], index among all annotations of the split.
        truth_categories: int64 [G], category ids.
        crowd: bool [G].
        areas: int64 [D, F], pixels of the predictions; 0 where there are none.
        truth_areas: int64 [G, F], pixels of the ground truths.
        common: int64 [D, G, F], pixels that both have.
        iou: float64 [D, G], IoU over the whole video, across classes too.
        frame_iou: float64 [D, G, F], IoU in each frame.
        matches: int64 [T, D], the ground truth (an index in G) that the protocol's matching gives each prediction at
            each of its IoU thresholds, or `UNMATCHED`.
    """

    video: Video
    results: NDArray[np.int64]
    numbers: NDArray[np.int64]
    scores: NDArray[np.float64]
    categories: NDArray[np.int64]
    annotations: NDArray[np.int64]
    truth_categories: NDArray[np.int64]
    crowd: NDArray[np.bool_]
    areas: NDArray[np.int64]
    truth_areas: NDArray[np.int64]
    common: NDArray[np.int64]
    iou: NDArray[np.float64]
    frame_iou: NDArray[np.float64]
    matches: NDArray[np.int64]

    @property
    def true(self) -> NDArray[np.bool_]:
        """Bool [T, D], the prediction has a ground truth that is no crowd."""
        # UNMATCHED picks the entry that is put on at the end.
        return np.asarray(np.append(~self.crowd, False)[self.matches], dtype=np.bool_)

    @property
    def false(self) -> NDArray[np.bool_]:
        """Bool [T, D], the prediction has no ground truth; one that has a crowd is neither true nor false."""
        return np.asarray(self.matches == UNMATCHED)

    @property
    def found(self) -> NDArray[np.bool_]:
        """Bool [T, G], some prediction has this ground truth."""
        found = np.zeros((len(self.matches), len(self.crowd)), dtype=np.bool_)
        levels, predictions = np.nonzero(self.matches != UNMATCHED)
        found[levels, self.matches[levels, predictions]] = True
        return found

    def without_frames(self) -> "Scene":
        """The same with no frame in `common` and `frame_iou`, which need the most memory."""
        return replace(self, common=self.common[..., :0].copy(), frame_iou=self.frame_iou[..., :0].copy())


def measure_scenes(results: Sequence[TrackResult], split: Split) -> Iterator[Scene]:
    """The scenes of all videos in the order of their ids; results and split must fit each other."""
    predicted, annotated = _by_video(results), _by_video(split.annotations or ())
    videos = sorted(split.videos, key=lambda video: video.id)
    for video in videos:
        yield _scene(video, predicted.get(video.id, {}), annotated.get(video.id, {}))


_Entry = TypeVar("_Entry", TrackResult, Annotation)


def _by_video(entries: Sequence[_Entry]) -> dict[int, dict[int, _Entry]]:
    """By video id, the entries under their index."""
    groups: dict[int, dict[int, _Entry]] = defaultdict(dict)
    for index, entry in enumerate(entries):
        groups[entry.video_id][index] = entry
    return groups


def _scene(video: Video, predicted: Mapping[int, TrackResult], annotated: Mapping[int, Annotation]) -> Scene:
    ranked = sorted(predicted, key=lambda index: -predicted[index].score)
    counted = _that_count([predicted[index].category_id for index in ranked])
    chosen = [predicted[ranked[rank]] for rank in counted]
    truths = list(annotated.values())
    categories = np.array([result.category_id for result in chosen], dtype=np.int64)
    truth_categories = np.array([truth.category_id for truth in truths], dtype=np.int64)
    crowd = np.array([truth.iscrowd for truth in truths], dtype=np.bool_)

    predictions = parse_tracks([result.segmentations for result in chosen], video.length)
    ground_truths = parse_tracks([truth.segmentations for truth in truths], video.length)
    common = frame_intersections(predictions, ground_truths)
    either = predictions.areas[:, None] + ground_truths.areas[None] - common
    iou = common.sum(axis=2) / np.maximum(either.sum(axis=2), 1)
    return Scene(
        video=video,
        results=np.array([ranked[rank] for rank in counted], dtype=np.int64),
        numbers=np.array(counted, dtype=np.int64) + 1,
        scores=np.array([result.score for result in chosen], dtype=np.float64),
        categories=categories,
        annotations=np.array(list(annotated), dtype=np.int64),
        truth_categories=truth_categories,
        crowd=crowd,
        areas=predictions.areas,
        truth_areas=ground_truths.areas,
        common=common,
        iou=iou,
        frame_iou=common / np.maximum(either, 1),
        matches=_matches(iou, categories, truth_categories, crowd),
    )


def _that_count(categories: Sequence[int]) -> list[int]:
    """Indices of the predictions, best score first, that are among the best 100 of their category."""
    seen: dict[int, int] = defaultdict(int)
    counted = []
    for rank, category in enumerate(categories):
        seen[category] += 1
        if seen[category] <= PREDICTION_LIMITS[-1]:
            counted.append(rank)
    return counted


def _matches(
    iou: NDArray[np.float64],
    categories: NDArray[np.int64],
    truth_categories: NDArray[np.int64],
    crowd: NDArray[np.bool_],
) -> NDArray[np.int64]:
    matches = np.full((len(IOU_THRESHOLDS), len(categories)), UNMATCHED, dtype=np.int64)
    for category in np.intersect1d(categories, truth_categories):
        rows, columns = np.flatnonzero(categories == category), np.flatnonzero(truth_categories == category)
        own = match(iou[np.ix_(rows, columns)], crowd[None, columns], crowd[columns], IOU_THRESHOLDS)[0]
        matches[:, rows] = np.where(own == UNMATCHED, UNMATCHED, columns[own])
    return matches
