"""Results and splits with one kind of error put right, ready to be scored again."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evaluation.explain.kinds import Kind, VideoErrors
from evaluation.explain.repairs import NOTHING, Repair
from evaluation.explain.scored_video import ScoredVideo
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import TrackResult


def without_kind(
    results: Sequence[TrackResult],
    split: Split,
    scored_videos: Sequence[ScoredVideo],
    errors: Sequence[VideoErrors],
    kind: Kind,
) -> tuple[list[TrackResult], Split]:
    """The results and the split in which this kind alone is fixed; see :mod:`evaluation.explain.kinds` for how.

    The tracks of other kinds stay in their order; predictions that do not count at all are left out. A new track takes
    the place of its best-scored piece.
    """
    if kind is Kind.MISSED:
        return list(results), with_ignored(split, scored_videos, [found.missed for found in errors])
    added: dict[int, list[TrackResult]] = defaultdict(list)
    for scored, found in zip(scored_videos, errors, strict=True):
        for repair in found.repairs[kind]:
            added[int(scored.results[repair.pieces[0]])].append(_right_track(results, split, scored, repair))
    kept = _results_of(scored_videos, [~found.members[kind] for found in errors])
    fixed = []
    for index, result in enumerate(results):
        fixed += [*([result] if index in kept else []), *added[index]]
    return fixed, split


def without_predictions(
    results: Sequence[TrackResult], scored_videos: Sequence[ScoredVideo], dropped: Sequence[NDArray[np.bool_]]
) -> list[TrackResult]:
    """The results that count but for some, bool [D] for each video."""
    kept = _results_of(scored_videos, [~flags for flags in dropped])
    return [result for index, result in enumerate(results) if index in kept]


def with_ignored(split: Split, scored_videos: Sequence[ScoredVideo], ignored: Sequence[NDArray[np.bool_]]) -> Split:
    """The split with some ground truths, bool [G] for each video, turned into crowds."""
    indices = {
        int(index) for scored, flags in zip(scored_videos, ignored, strict=True) for index in scored.annotations[flags]
    }
    annotations = [
        replace(annotation, iscrowd=True) if index in indices else annotation
        for index, annotation in enumerate(split.annotations or ())
    ]
    return replace(split, annotations=tuple(annotations))


def _results_of(scored_videos: Sequence[ScoredVideo], chosen: Sequence[NDArray[np.bool_]]) -> set[int]:
    return {int(index) for scored, flags in zip(scored_videos, chosen, strict=True) for index in scored.results[flags]}


def _right_track(results: Sequence[TrackResult], split: Split, scored: ScoredVideo, repair: Repair) -> TrackResult:
    truth = (split.annotations or ())[scored.annotations[repair.truth]]
    masks = truth.segmentations
    if repair.sources is not None:
        masks = tuple(
            None if source == NOTHING else results[scored.results[source]].segmentations[frame]
            for frame, source in enumerate(repair.sources)
        )
    return TrackResult(scored.video.id, truth.category_id, float(scored.scores[repair.pieces[0]]), masks)
