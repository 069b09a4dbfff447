"""What each video costs: how much AP would rise were nothing wrong in it, and the AP that it has by itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.explain.scored_video import ScoredVideo
from evaluation.precision_recall import UNDEFINED, precision_at
from evaluation.youtube_vis import RECALL_POINTS


@dataclass(frozen=True)
class VideoFigures:
    """AP of one video alone (None where it has no ground truth that counts), and what it costs the split in AP."""

    AP: float | None
    cost: float


@dataclass(frozen=True)
class _Verdicts:
    """The N predictions of one category, best score first, at T thresholds.

    Attributes:
        video: int64 [N], index of the video.
        true: bool [T, N].
        false: bool [T, N].
        positives: for each video that has any, its ground truths to be found.
        unfound: of these, how many are not found, int64 [T].
    """

    video: NDArray[np.int64]
    true: NDArray[np.bool_]
    false: NDArray[np.bool_]
    positives: Mapping[int, int]
    unfound: Mapping[int, NDArray[np.int64]]

    def average_precision(self) -> NDArray[np.float64]:
        """AP at each threshold, float64 [T]; -1 without ground truth."""
        return _average_precision(self.true, self.false, sum(self.positives.values()))

    def of_one(self, video: int) -> NDArray[np.float64]:
        """AP in one video alone, float64 [T]; -1 without ground truth there."""
        own = self.video == video
        return _average_precision(self.true[:, own], self.false[:, own], self.positives.get(video, 0))

    def without_errors_of(self, video: int) -> NDArray[np.float64]:
        """AP when one video's errors count no longer, float64 [T]; -1 where no ground truth is left."""
        positives = sum(self.positives.values()) - self.unfound.get(video, 0)
        return _average_precision(self.true, self.false & (self.video != video), positives)


def figures_by_video(scored_videos: Sequence[ScoredVideo]) -> list[VideoFigures]:
    """The figures of each video, in the order given (that of the video ids).

    A video's cost is the rise in AP when at every IoU threshold its false positives and its ground truths that are not
    found count no longer: what TIDE does to a whole data set, done to one video. A video where all is right costs 0.
    """
    present = [{int(id_) for id_ in (*scored.categories, *scored.truth_categories)} for scored in scored_videos]
    verdicts = {category: _verdicts(scored_videos, category) for category in sorted(set[int]().union(*present))}
    table = {category: verdict.average_precision() for category, verdict in verdicts.items()}
    score = _mean(table.values())
    figures = []
    for index, categories in enumerate(present):
        own = _mean(verdicts[category].of_one(index) for category in sorted(categories))
        mended = {category: verdicts[category].without_errors_of(index) for category in categories}
        cost = gain(_mean({**table, **mended}.values()), score)
        figures.append(VideoFigures(None if own == UNDEFINED else own, cost))
    return figures


def gain(fixed: float, score: float) -> float:
    """The rise from AP `score` to AP `fixed`.

    A fix that leaves no ground truth to be found leaves no AP; nothing is wrong any more then, which counts as 1. Where
    there never was an AP nothing rises.
    """
    if score == UNDEFINED:
        return 0.0
    return (1.0 if fixed == UNDEFINED else fixed) - score


def _verdicts(scored_videos: Sequence[ScoredVideo], category: int) -> _Verdicts:
    chosen = [scored.categories == category for scored in scored_videos]
    counts = [(scored.truth_categories == category) & ~scored.crowd for scored in scored_videos]
    scores = np.concatenate([scored.scores[own] for scored, own in zip(scored_videos, chosen, strict=True)])
    # Of equal scores those of the earlier video come first.
    order = np.argsort(-scores, kind="stable")
    return _Verdicts(
        video=np.repeat(np.arange(len(scored_videos)), [own.sum() for own in chosen])[order],
        true=np.concatenate([scored.true[:, own] for scored, own in zip(scored_videos, chosen, strict=True)], axis=1)[
            :, order
        ],
        false=np.concatenate([scored.false[:, own] for scored, own in zip(scored_videos, chosen, strict=True)], axis=1)[
            :, order
        ],
        positives={index: int(own.sum()) for index, own in enumerate(counts) if own.any()},
        unfound={
            index: (~scored_videos[index].found[:, own]).sum(axis=1) for index, own in enumerate(counts) if own.any()
        },
    )


def _average_precision(
    true: NDArray[np.bool_], false: NDArray[np.bool_], positives: int | NDArray[np.int64]
) -> NDArray[np.float64]:
    """AP at each of T thresholds, float64 [T], from verdicts [T, N], best score first; -1 without ground truth."""
    # Each threshold has its own number of ground truths, as each area range has elsewhere.
    counts = np.broadcast_to(np.asarray(positives, dtype=np.int64), len(true))
    precision: NDArray[np.float64] = precision_at(RECALL_POINTS, true[:, None], false[:, None], counts).mean(
        axis=(1, 2)
    )
    return precision


def _mean(tables: Iterable[NDArray[np.float64]]) -> float:
    values = np.concatenate([np.zeros(0), *tables])
    defined = values[values != UNDEFINED]
    return float(defined.mean()) if defined.size else UNDEFINED
