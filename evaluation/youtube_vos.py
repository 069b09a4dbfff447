"""Video object segmentation as YouTube-VOS measures it: J and F of objects of seen and of unseen classes apart.

By the benchmark's page (youtube-vos.org, "Evaluation"): J and F are DAVIS's, averaged over all objects of the classes
that the training set has and over those of the others; the score is the mean of the four. Which frames of an object
count, the page does not say. Here it is those after its first annotated frame, in which it is given, up to its last,
as far as the ground truth has a mask; in between it may be hidden, and J and F are 1 then for an empty prediction and
0 for any other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.davis import contour_accuracy, region_similarity
from vis_pipeline.errors import DataError

SEEN, UNSEEN, ALL = "seen", "unseen", "all"


@dataclass(frozen=True)
class ObjectMeasures:
    """One object: its number and class, how many frames of it count, and the means of J and F over them."""

    number: int
    category: str
    frames: int
    J: float
    F: float


@dataclass(frozen=True)
class GroupScores:
    """The means over the objects of some classes."""

    objects: int
    J: float
    F: float


@dataclass(frozen=True)
class YouTubeVosScores:
    """The figures of one set of results.

    Attributes:
        videos: the objects of each video that could be scored.
        left_out: why the others could not, by their names.
        groups: the means over objects of `seen` and `unseen` classes, as far as there are any; over `all` where nobody
            says which classes are seen.
        overall: the mean of J and F of the groups.
    """

    videos: Mapping[str, tuple[ObjectMeasures, ...]]
    left_out: Mapping[str, str]
    groups: Mapping[str, GroupScores]
    overall: float

    @property
    def figures(self) -> dict[str, float]:
        """The figures by name: overall, then `J seen`, `F seen` and so on."""
        each = {f"{name} {group}": getattr(means, name) for group, means in self.groups.items() for name in ("J", "F")}
        return {"overall": self.overall, **each}

    def to_json(self) -> dict[str, Any]:
        """The scores as plain JSON values."""
        return {
            "overall": self.overall,
            "groups": {name: asdict(group) for name, group in self.groups.items()},
            "videos": {name: [asdict(entry) for entry in objects] for name, objects in self.videos.items()},
            "left_out": dict(self.left_out),
        }


def video_measures(
    frames: Iterable[tuple[int, NDArray[np.uint8], NDArray[np.uint8]]],
    spans: Mapping[int, range],
    categories: Mapping[int, str],
) -> tuple[ObjectMeasures, ...]:
    """J and F of the objects of one video that have a frame to score.

    Args:
        frames: position, prediction and truth, label maps uint8 [H, W], of every frame that counts for an object.
        spans: the positions that count, by the object's number.
        categories: its class.
    """
    measured: dict[int, list[tuple[float, float]]] = {number: [] for number in spans}
    for position, prediction, truth in frames:
        for number, span in spans.items():
            if position in span:
                pair = prediction == number, truth == number
                measured[number].append((float(region_similarity(*pair)), float(contour_accuracy(*pair))))
    return tuple(
        ObjectMeasures(number, categories[number], len(values), *np.mean(values, axis=0).tolist())
        for number, values in measured.items()
        if values
    )


def youtube_vos_scores(
    videos: Mapping[str, tuple[ObjectMeasures, ...]], left_out: Mapping[str, str], seen: frozenset[str] | None
) -> YouTubeVosScores:
    """Put the objects of videos together; `seen` are the classes of the training set, None where nobody says.

    Raises:
        DataError: there is no object.
    """
    objects = [entry for entries in videos.values() for entry in entries]
    if not objects:
        raise DataError("no object has a frame to score: the ground truth has no masks after those in which they begin")
    if seen is None:
        parts: dict[str, Sequence[ObjectMeasures]] = {ALL: objects}
    else:
        parts = {
            SEEN: [entry for entry in objects if entry.category in seen],
            UNSEEN: [entry for entry in objects if entry.category not in seen],
        }
    groups = {name: _means(part) for name, part in parts.items() if part}
    overall = float(np.mean([figure for group in groups.values() for figure in (group.J, group.F)]))
    return YouTubeVosScores(videos, left_out, groups, overall)


def _means(objects: Sequence[ObjectMeasures]) -> GroupScores:
    return GroupScores(
        len(objects),
        float(np.mean([entry.J for entry in objects])),
        float(np.mean([entry.F for entry in objects])),
    )
