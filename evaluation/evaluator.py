"""The evaluator as an object that takes videos one batch after the other, for use inside a training loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evaluation.categories import require_same_categories
from evaluation.scores import Scores
from evaluation.youtube_vis import VideoOverlaps, measure_overlaps, score_overlaps
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Category, Split
from vis_pipeline.structures.tracks import TrackResult


@dataclass(frozen=True)
class EvaluatorState:
    """What an evaluator has gathered: plain data, a few numbers a track, to be sent to another process.

    Attributes:
        categories: those of all videos, by rising id; empty before the first update.
        overlaps: by video id.
    """

    categories: tuple[Category, ...] = ()
    overlaps: Mapping[int, VideoOverlaps] = field(default_factory=dict)


class YouTubeVISEvaluator:
    """AP and AR of YouTube-VIS over videos that come in batches.

    However the videos are divided and ordered, the scores are exactly those of
    :func:`evaluation.youtube_vis.evaluate` over all of them. No masks are kept.

    Across processes, gather the states and merge them::

        states = [None] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(states, evaluator.state)
        total = YouTubeVISEvaluator()
        for state in states:
            total.merge(state)
        scores = total.compute()
    """

    def __init__(self) -> None:
        self._state = EvaluatorState()

    @property
    def state(self) -> EvaluatorState:
        """What has been gathered since the start or the last reset."""
        return self._state

    def update(self, predictions: Sequence[TrackResult], ground_truth: Split) -> None:
        """Add whole videos: all of `ground_truth`, and every prediction for them (none for a video is legal).

        Dense masks become predictions and annotations through :mod:`evaluation.dense`.

        Raises:
            DataError: a video was added before, the categories differ from those of earlier updates, the split has no
                annotations, or an entry does not fit it (it is named); nothing has been added then.
        """
        overlaps = measure_overlaps(predictions, ground_truth)
        ids = sorted(video.id for video in ground_truth.videos)
        categories = tuple(sorted(ground_truth.categories, key=lambda category: category.id))
        self.merge(EvaluatorState(categories, dict(zip(ids, overlaps, strict=True))))

    def merge(self, state: EvaluatorState) -> None:
        """Add what another evaluator has gathered.

        Raises:
            DataError: a video is in both, or the categories differ; nothing has been added then.
        """
        if not state.overlaps or not self._state.overlaps:
            self._state = state if state.overlaps else self._state
            return
        require_same_categories(self._state.categories, state.categories, "earlier updates", "this one")
        twice = self._state.overlaps.keys() & state.overlaps.keys()
        if twice:
            raise DataError(f"video {min(twice)} has been added before: give each video once, or reset between epochs")
        self._state = EvaluatorState(state.categories, {**self._state.overlaps, **state.overlaps})

    def compute(self) -> Scores:
        """The scores of all videos so far.

        Raises:
            DataError: there has been no update.
        """
        if not self._state.overlaps:
            raise DataError("nothing to score: the evaluator has had no update")
        by_video_id = [self._state.overlaps[identifier] for identifier in sorted(self._state.overlaps)]
        return score_overlaps(by_video_id, self._state.categories)

    def reset(self) -> None:
        """Forget everything, for the next validation."""
        self._state = EvaluatorState()
