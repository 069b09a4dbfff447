"""One video's predictions and ground truths of all classes, and how each lies on each: what every verdict rests on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evaluation.matching import UNMATCHED, match
from evaluation.youtube_vis import IOU_THRESHOLDS, by_video, parse_entries, that_count
from vis_pipeline.masks.track_iou import frame_intersections
from vis_pipeline.structures.splits import Annotation, Split, Video
from vis_pipeline.structures.tracks import TrackResult


@dataclass(frozen=True)
class ScoredVideo:
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

    def without_frames(self) -> "ScoredVideo":
        """The same with no frame in `common` and `frame_iou`, which need the most memory."""
        return replace(self, common=self.common[..., :0].copy(), frame_iou=self.frame_iou[..., :0].copy())


def measure_videos(results: Sequence[TrackResult], split: Split) -> Iterator[ScoredVideo]:
    """All videos, in the order of their ids; results and split must fit each other."""
    predicted, annotated = by_video(results), by_video(split.annotations or ())
    videos = sorted(split.videos, key=lambda video: video.id)
    for video in videos:
        yield _scored(video, predicted[video.id], annotated[video.id])


def _scored(
    video: Video, predicted: Sequence[tuple[int, TrackResult]], annotated: Sequence[tuple[int, Annotation]]
) -> ScoredVideo:
    chosen, places = that_count(predicted)
    categories = np.array([result.category_id for _, result in chosen], dtype=np.int64)
    truth_categories = np.array([truth.category_id for _, truth in annotated], dtype=np.int64)
    crowd = np.array([truth.iscrowd for _, truth in annotated], dtype=np.bool_)

    predictions, ground_truths = parse_entries(chosen, video), parse_entries(annotated, video)
    common = frame_intersections(predictions, ground_truths)
    either = predictions.areas[:, None] + ground_truths.areas[None] - common
    iou = common.sum(axis=2) / np.maximum(either.sum(axis=2), 1)
    own_class = np.where(categories[:, None] == truth_categories[None], iou, 0.0)
    return ScoredVideo(
        video=video,
        results=np.array([index for index, _ in chosen], dtype=np.int64),
        numbers=places + 1,
        scores=np.array([result.score for _, result in chosen], dtype=np.float64),
        categories=categories,
        annotations=np.array([index for index, _ in annotated], dtype=np.int64),
        truth_categories=truth_categories,
        crowd=crowd,
        areas=predictions.areas,
        truth_areas=ground_truths.areas,
        common=common,
        iou=iou,
        frame_iou=common / np.maximum(either, 1),
        matches=match(own_class, crowd[None], crowd, IOU_THRESHOLDS)[0],
    )
