"""Scores of parts: short and long videos (YouTube-VIS 2022), and objects by how much of them is occluded (OVIS).

YouTube-VIS 2019 and 2021 need nothing of this: :func:`evaluation.youtube_vis.evaluate` scores them with their own ids.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from evaluation.categories import require_same_categories
from evaluation.scores import Figures, Scores
from evaluation.youtube_vis import VideoOverlaps, evaluate, measure_overlaps, score_overlaps
from vis_pipeline.data.fit import annotation_name, require_fit
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Annotation, Split
from vis_pipeline.structures.tracks import TrackResult

# From how the JSON of OVIS grades an object in a frame to its occlusion score.
OCCLUSION_LEVELS = {"no_occlusion": 0.0, "slight_occlusion": 0.25, "severe_occlusion": 0.75}
# By mean occlusion score, closed at both ends: an object of exactly 0.25 is in two groups.
OCCLUSION_RANGES = {"slight": (0.0, 0.25), "moderate": (0.25, 0.5), "heavy": (0.5, 1.0)}


@dataclass(frozen=True)
class ShortAndLong:
    """Scores of YouTube-VIS 2022, where short and long videos are scored apart."""

    short: Scores
    long: Scores

    @property
    def mean(self) -> Figures:
        """The headline: the mean of each figure over the two sets, -1 where it is undefined in one of them."""
        names = [figure.name for figure in fields(Figures)]
        return Figures(**{name: _mean(getattr(self.short, name), getattr(self.long, name)) for name in names})

    def to_json(self) -> dict[str, Any]:
        """The mean's figures under their names, the two sets' scores under `short` and `long`."""
        return {**asdict(self.mean), "short": self.short.to_json(), "long": self.long.to_json()}


def evaluate_2022(
    results: Sequence[TrackResult],
    short: Split,
    long: Split,
    long_results: Sequence[TrackResult] | None = None,
) -> ShortAndLong:
    """Score predictions for the short and the long videos of YouTube-VIS 2022.

    Without `long_results`, `results` is for both sets and is divided by the video ids.

    Raises:
        DataError: the sets share video ids and `long_results` is not given, their categories differ, or a result fits
            neither (its set, index and video are named).
    """
    require_same_categories(short.categories, long.categories, "the short set", "the long set")
    if long_results is None:
        results, long_results = _divided(results, short, long)
    return ShortAndLong(_evaluate_set("short", results, short), _evaluate_set("long", long_results, long))


def carries_occlusion(split: Split) -> bool:
    """Whether any annotation grades its object's occlusion, as those of OVIS do."""
    return any(annotation.occlusion is not None for annotation in split.annotations or ())


def evaluate_by_occlusion(results: Sequence[TrackResult], split: Split) -> dict[str, Scores]:
    """Score slightly, moderately and heavily occluded objects apart, as OVIS does: `slight`, `moderate`, `heavy`.

    In each group the objects of the others are ignored like those outside an area range: a prediction that is matched
    to one counts neither for nor against, but a prediction without a match is false in all three groups. The paper
    calls the APs AP_so, AP_mo and AP_ho (Qi et al., "Occluded Video Instance Segmentation: A Benchmark", IJCV 2022);
    scores and ranges are those of the release, qjy981010/cocoapi, `oviseval.py`.

    Raises:
        DataError: an annotation grades no occlusion, or in words that OVIS does not have (it is named).
    """
    if not carries_occlusion(split):
        raise DataError("no annotation grades occlusion (`occlusion`, one level a frame, as in OVIS)")
    return score_by_occlusion(measure_overlaps(results, split), split)


def score_by_occlusion(overlaps: Sequence[VideoOverlaps], split: Split) -> dict[str, Scores]:
    """As :func:`evaluate_by_occlusion`, from what :func:`evaluation.youtube_vis.measure_overlaps` has measured."""
    groups = occlusion_groups(split.annotations or ())
    return {name: score_overlaps(overlaps, split.categories, ids) for name, ids in groups.items()}


def occlusion_groups(annotations: Sequence[Annotation]) -> dict[str, frozenset[int]]:
    """Ids of the annotations in each group of `OCCLUSION_RANGES`; crowds, which are always ignored, are in none.

    Raises:
        DataError: as :func:`occlusion_score`.
    """
    scores = {annotation.id: occlusion_score(annotation) for annotation in annotations if not annotation.iscrowd}
    return {
        name: frozenset(identifier for identifier, score in scores.items() if low <= score <= high)
        for name, (low, high) in OCCLUSION_RANGES.items()
    }


def occlusion_score(annotation: Annotation) -> float:
    """How occluded an object is, from 0 to 0.75: the mean over the more occluded half of its graded frames.

    Of an odd number of frames the half is rounded up.

    Raises:
        DataError: no frame is graded, or one in words that are not among `OCCLUSION_LEVELS`.
    """
    levels = [level for level in annotation.occlusion or () if level is not None]
    if not levels:
        raise DataError(f"{annotation_name(annotation)}: no frame grades its occlusion")
    unknown = next((level for level in levels if level not in OCCLUSION_LEVELS), None)
    if unknown is not None:
        raise DataError(
            f"{annotation_name(annotation)}: occlusion {unknown!r} is none of {', '.join(OCCLUSION_LEVELS)}"
        )
    ordered = sorted((OCCLUSION_LEVELS[level] for level in levels), reverse=True)
    half = ordered[: math.ceil(len(ordered) / 2)]
    return sum(half) / len(half)


def joined(short: Split, long: Split) -> Split:
    """The videos of both sets, without annotations: what one file of results for both is for.

    Raises:
        DataError: the sets share video ids, so that one file cannot be for both, or their categories differ.
    """
    require_same_categories(short.categories, long.categories, "the short set", "the long set")
    shared = short.videos_by_id().keys() & long.videos_by_id().keys()
    if shared:
        raise DataError(
            f"the short and the long set share {len(shared)} video ids ({min(shared)} is one):"
            " give the results of the long videos apart (long_results, --long-results)"
        )
    return Split((*short.videos, *long.videos), short.categories, None)


def _divided(results: Sequence[TrackResult], short: Split, long: Split) -> tuple[list[TrackResult], list[TrackResult]]:
    require_fit(results, joined(short, long))
    short_ids, long_ids = short.videos_by_id().keys(), long.videos_by_id().keys()
    return (
        [result for result in results if result.video_id in short_ids],
        [result for result in results if result.video_id in long_ids],
    )


def _evaluate_set(name: str, results: Sequence[TrackResult], split: Split) -> Scores:
    try:
        return evaluate(results, split)
    except DataError as error:
        raise DataError(f"{name} videos: {error}") from error


def _mean(short: float, long: float) -> float:
    return (short + long) / 2 if min(short, long) >= 0 else -1.0
