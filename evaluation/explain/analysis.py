"""Why is my AP low? What each kind of error costs, the worst videos, and which classes are taken for which.

The kinds of error and their fixes are defined in :mod:`evaluation.explain.kinds`. A kind's cost is the AP that the
official protocol gives after this kind alone has been fixed, less the AP of the results as they are (TIDE, Bolya et
al., ECCV 2020, section 2.3); so the costs do not add up to what is missing from 1. Errors are named at IoU 0.5. The
headline AP also asks for stricter IoUs: there a duplicate may be the better mask, and a fix may cost something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.explain.fixes import with_ignored, without_kind, without_predictions
from evaluation.explain.kinds import Kind, VideoErrors, find_errors
from evaluation.explain.repairs import NOTHING, best_along
from evaluation.explain.scored_video import ScoredVideo, measure_videos
from evaluation.explain.videos import figures_by_video, gain
from evaluation.scores import Scores
from evaluation.youtube_vis import evaluate
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import TrackResult

MOST_EXAMPLES = 10
CONFUSED_IOU = 0.5
TOUCHED_IOU = 0.1


@dataclass(frozen=True)
class Example:
    """One error.

    Attributes:
        result: index of the prediction in the results; None for a missed truth.
        track: its number in the video, from 1 by falling score, as `vis-pipeline visualize` writes it into pictures.
        category: the class predicted, or that of the missed truth.
        truths: ids of the annotations that the prediction overlaps, best first: all of IoU 0.1 and more, or else the
            best one; the missed truth's own.
        iou: over the whole video, of the prediction and the first of `truths`; 0 without one, None for a missed truth.
    """

    video_id: int
    video: str
    category: str
    result: int | None
    track: int | None
    score: float | None
    truths: tuple[int, ...]
    iou: float | None


@dataclass(frozen=True)
class Cost:
    """What some errors cost.

    Attributes:
        count: how many there are.
        dAP: rise of the headline AP when these alone are fixed.
        dAP50: the same of AP50.
    """

    count: int
    dAP: float  # noqa: N815 - the field's name, as in the JSON
    dAP50: float  # noqa: N815


@dataclass(frozen=True)
class KindCost(Cost):
    """What one kind of error costs; predictions are counted, or ground truths for the kind `missed`.

    Attributes:
        examples: at most ten, those of the highest scores (missed truths: the largest; loose masks: the loosest).
    """

    kind: str
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class VideoCost:
    """One video.

    Attributes:
        truths: its ground truths, without crowds.
        AP: of the video alone; None without ground truth.
        cost: rise of the split's AP if nothing were wrong in this video (:mod:`evaluation.explain.videos`).
        counts: errors by kind.
    """

    video_id: int
    name: str
    truths: int
    AP: float | None
    cost: float
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Confusion:
    """Which classes are taken for which.

    `matrix` has a row for each of K classes and one for the background, a column for each class and one for what is
    missed. A prediction counts in the row of the truth that it has found, or else of that of the highest IoU of at
    least 0.5 (its own class first), or else of the background; those matched to crowds are left out. A truth that no
    prediction of any class reaches at IoU 0.5 counts as missed.
    """

    names: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Explanation:
    """The error analysis of one set of results.

    Attributes:
        scores: as they are.
        errors: every kind, also those that do not occur.
        false_positives: cost of all unmatched predictions together (TIDE's FP; they are dropped).
        false_negatives: cost of all truths not found together (TIDE's FN; they count no longer).
        worst_videos: those that cost anything or have any error, the most costly first.
    """

    scores: Scores
    errors: tuple[KindCost, ...]
    false_positives: Cost
    false_negatives: Cost
    worst_videos: tuple[VideoCost, ...]
    confusion: Confusion

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {
            "scores": self.scores.to_json(),
            "errors": [_plain(error) for error in self.errors],
            "false_positives": asdict(self.false_positives),
            "false_negatives": asdict(self.false_negatives),
            "worst_videos": [asdict(video) for video in self.worst_videos],
            "confusion": {
                "names": list(self.confusion.names),
                "matrix": [list(row) for row in self.confusion.matrix],
            },
        }


def explain(results: Sequence[TrackResult], split: Split) -> Explanation:
    """Analyse the errors of predictions against a split's annotations; no results at all are legal.

    Raises:
        DataError: as :func:`evaluation.youtube_vis.evaluate`.
    """
    scores = evaluate(results, split)
    scored_videos: list[ScoredVideo] = []
    errors: list[VideoErrors] = []
    for scored in measure_videos(results, split):
        errors.append(find_errors(scored))
        scored_videos.append(scored.without_frames())
    unmatched = [scored.false[0] for scored in scored_videos]
    unfound = [~scored.found[0] & ~scored.crowd for scored in scored_videos]

    def cost(flags: Sequence[NDArray[np.bool_]], fixed: tuple[Sequence[TrackResult], Split]) -> Cost:
        count = sum(int(np.count_nonzero(flag)) for flag in flags)
        after = evaluate(*fixed) if count else scores
        return Cost(count, gain(after.AP, scores.AP), gain(after.AP50, scores.AP50))

    return Explanation(
        scores=scores,
        errors=tuple(
            KindCost(
                **vars(
                    cost(
                        [found.of(kind) for found in errors], without_kind(results, split, scored_videos, errors, kind)
                    )
                ),
                kind=kind.value,
                examples=_examples(split, scored_videos, errors, kind),
            )
            for kind in Kind
        ),
        false_positives=cost(unmatched, (without_predictions(results, scored_videos, unmatched), split)),
        false_negatives=cost(unfound, (results, with_ignored(split, scored_videos, unfound))),
        worst_videos=_worst_videos(scored_videos, errors),
        confusion=_confusion(split, scored_videos),
    )


def _plain(error: KindCost) -> dict[str, Any]:
    examples = [{**asdict(example), "truths": list(example.truths)} for example in error.examples]
    return {
        "kind": error.kind, "count": error.count, "dAP": error.dAP, "dAP50": error.dAP50, "examples": examples
    }  # fmt: skip


def _examples(
    split: Split, scored_videos: Sequence[ScoredVideo], errors: Sequence[VideoErrors], kind: Kind
) -> tuple[Example, ...]:
    names = {category.id: category.name for category in split.categories}
    ranked = []
    for scored, found in zip(scored_videos, errors, strict=True):
        weights = _weights(scored, kind)
        ranked += [(weights[index], scored, index) for index in np.flatnonzero(found.of(kind))]
    ranked.sort(key=lambda entry: -entry[0])
    make = _missed_example if kind is Kind.MISSED else _prediction_example
    return tuple(make(split, names, scored, index) for _, scored, index in ranked[:MOST_EXAMPLES])


def _weights(scored: ScoredVideo, kind: Kind) -> NDArray[Any]:
    """By what the examples of a kind are chosen: the size of truths, the looseness of masks, or else the score."""
    if kind is Kind.MISSED:
        return np.asarray(scored.truth_areas.sum(axis=1))
    return np.asarray(-scored.iou.max(axis=1, initial=0.0)) if kind is Kind.LOOSE_MASK else scored.scores


def _missed_example(split: Split, names: Mapping[int, str], scored: ScoredVideo, truth: int) -> Example:
    annotation = (split.annotations or ())[scored.annotations[truth]]
    name = names[annotation.category_id]
    return Example(scored.video.id, scored.video.name, name, None, None, None, (annotation.id,), None)


def _prediction_example(split: Split, names: Mapping[int, str], scored: ScoredVideo, prediction: int) -> Example:
    iou = scored.iou[prediction]
    order = np.argsort(-iou, kind="stable")
    touched = [
        truth for place, truth in enumerate(order) if iou[truth] >= TOUCHED_IOU or (place == 0 and iou[truth] > 0)
    ]
    return Example(
        video_id=scored.video.id,
        video=scored.video.name,
        category=names[int(scored.categories[prediction])],
        result=int(scored.results[prediction]),
        track=int(scored.numbers[prediction]),
        score=float(scored.scores[prediction]),
        truths=tuple((split.annotations or ())[scored.annotations[truth]].id for truth in touched),
        iou=float(iou.max(initial=0.0)),
    )


def _worst_videos(scored_videos: Sequence[ScoredVideo], errors: Sequence[VideoErrors]) -> tuple[VideoCost, ...]:
    videos = [
        VideoCost(
            video_id=scored.video.id,
            name=scored.video.name,
            truths=int(np.count_nonzero(~scored.crowd)),
            AP=figures.AP,
            cost=figures.cost,
            counts={kind.value: int(np.count_nonzero(found.of(kind))) for kind in Kind},
        )
        for scored, found, figures in zip(scored_videos, errors, figures_by_video(scored_videos), strict=True)
    ]
    faulty = [video for video in videos if video.cost or any(video.counts.values())]
    return tuple(sorted(faulty, key=lambda video: -video.cost))


def _confusion(split: Split, scored_videos: Sequence[ScoredVideo]) -> Confusion:
    categories = sorted(split.categories, key=lambda category: category.id)
    ids = np.array([category.id for category in categories])
    beyond = len(categories)
    matrix = np.zeros((beyond + 1, beyond + 1), dtype=np.int64)
    for scored in scored_videos:
        rows = np.append(np.searchsorted(ids, scored.truth_categories), beyond)
        counts = scored.true[0] | scored.false[0]
        np.add.at(matrix, (rows[_confused_with(scored)[counts]], np.searchsorted(ids, scored.categories[counts])), 1)
        missed = ~scored.crowd & (scored.iou < CONFUSED_IOU).all(axis=0)
        np.add.at(matrix[:, beyond], rows[:-1][missed], 1)
    return Confusion(tuple(category.name for category in categories), tuple(map(tuple, matrix.tolist())))


def _confused_with(scored: ScoredVideo) -> NDArray[np.int64]:
    """The truth in whose row a prediction counts, int64 [D], `NOTHING` for the background."""
    same_class = scored.categories[:, None] == scored.truth_categories[None, :]
    near = (scored.iou >= CONFUSED_IOU) & ~scored.crowd
    nearest = best_along(np.where(near, scored.iou + same_class, 0.0), axis=1)
    return np.where(scored.matches[0] == NOTHING, nearest, scored.matches[0])
