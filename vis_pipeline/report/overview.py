"""The split at a glance: figures, classes, errors and videos, as plain JSON values."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from evaluation.explain import Explanation, explain
from evaluation.precision_recall import UNDEFINED
from vis_pipeline.report.comparison import Counts
from vis_pipeline.structures.splits import Category, Split
from vis_pipeline.structures.tracks import TrackResult

MOST_CONFUSIONS = 12
_FIGURES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "ARs", "ARm", "ARl")


@dataclass(frozen=True)
class VideoRow:
    """One line of the list of videos.

    Attributes:
        counts: errors by mask; None without ground truth.
        classes: ids of the categories of its tracks and ground truths.
    """

    video_id: int
    name: str
    frames: int
    tracks: int
    mean_score: float | None
    lost: int
    notes: int
    classes: tuple[int, ...]
    counts: Counts | None = None


@dataclass(frozen=True)
class Overview:
    """What the first page shows of finished videos."""

    title: str
    config_hash: str
    made: str
    unfinished: int
    least_score: float
    categories: Sequence[Category]
    rows: Sequence[VideoRow]
    results: Sequence[TrackResult]
    truth: Split | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """All of it; the videos are worst first where there is ground truth, else in the order given.

        Raises:
            DataError: results and ground truth do not fit each other.
        """
        content: dict[str, Any] = {
            "title": self.title,
            "hash": self.config_hash,
            "made": self.made,
            "unfinished": self.unfinished,
            "least_score": self.least_score,
            "facts": dict(self.facts),
            "categories": [[str(category.id), category.name] for category in self.categories],
            "frames": sum(row.frames for row in self.rows),
            "tracks": len(self.results),
        }
        if self.truth is None:
            classes = _classes_without_truth(self.results, self.categories)
            return {**content, "classes": classes, "videos": [_row(row) for row in self.rows]}
        explanation = explain(self.results, self.truth)
        return {**content, **_against_truth(explanation, self.truth, self.results, self.rows)}


def _against_truth(
    explanation: Explanation, truth: Split, results: Sequence[TrackResult], rows: Sequence[VideoRow]
) -> dict[str, Any]:
    costs = {video.video_id: video for video in explanation.worst_videos}
    truths = Counter(annotation.video_id for annotation in truth.annotations or () if not annotation.iscrowd)
    listed = []
    for row in rows:
        cost = costs.get(row.video_id)
        listed.append(
            {
                **_row(row),
                "truths": truths[row.video_id],
                "AP": cost.AP if cost else 1.0 if truths[row.video_id] else None,
                "cost": cost.cost if cost else 0.0,
                "kinds": {kind: count for kind, count in cost.counts.items() if count} if cost else {},
            }
        )
    total = sum((row.counts for row in rows if row.counts is not None), Counts())
    figures = {name: getattr(explanation.scores, name) for name in _FIGURES}
    return {
        "figures": {name: None if value == UNDEFINED else value for name, value in figures.items()},
        "frame_figures": {**asdict(total), "IDF1": total.idf1, "MOTSA": total.motsa},
        "classes": _classes(explanation, truth, results),
        "errors": [
            {"kind": error.kind, "count": error.count, "dAP": error.dAP, "dAP50": error.dAP50}
            for error in explanation.errors
        ],
        "confusions": _confusions(explanation),
        "videos": sorted(listed, key=lambda video: -video["cost"]),
    }


def _row(row: VideoRow) -> dict[str, Any]:
    content = {
        "id": str(row.video_id),
        "name": row.name,
        "frames": row.frames,
        "tracks": row.tracks,
        "score": row.mean_score,
        "lost": row.lost,
        "notes": row.notes,
        "classes": [str(identifier) for identifier in row.classes],
    }
    return content if row.counts is None else {**content, "counts": asdict(row.counts)}


def _classes(explanation: Explanation, truth: Split, results: Iterable[TrackResult]) -> list[dict[str, Any]]:
    truths = Counter(annotation.category_id for annotation in truth.annotations or () if not annotation.iscrowd)
    tracks = Counter(result.category_id for result in results)
    return [
        {
            "id": str(scores.id),
            "AP": None if scores.AP == UNDEFINED else scores.AP,
            "AP50": None if scores.AP50 == UNDEFINED else scores.AP50,
            "AR10": None if scores.AR10 == UNDEFINED else scores.AR10,
            "truths": truths[scores.id],
            "tracks": tracks[scores.id],
        }
        for scores in explanation.scores.categories
        if truths[scores.id] or tracks[scores.id]
    ]


def _classes_without_truth(results: Sequence[TrackResult], categories: Sequence[Category]) -> list[dict[str, Any]]:
    scores: dict[int, list[float]] = {}
    for result in results:
        scores.setdefault(result.category_id, []).append(result.score)
    known = [category.id for category in categories if category.id in scores]
    return [
        {"id": str(identifier), "tracks": len(scores[identifier]), "score": sum(found) / len(found)}
        for identifier in [*known, *sorted(scores.keys() - set(known))]
        for found in [scores[identifier]]
    ]


def _confusions(explanation: Explanation) -> list[list[Any]]:
    """What is most often taken for another class: name of the truth, name predicted, how often."""
    names, matrix = explanation.confusion.names, explanation.confusion.matrix
    wrong = [
        (names[truth], names[found], matrix[truth][found])
        for truth in range(len(names))
        for found in range(len(names))
        if truth != found and matrix[truth][found]
    ]
    return [list(entry) for entry in sorted(wrong, key=lambda entry: -entry[2])[:MOST_CONFUSIONS]]
