"""The ground truth beside a run's results: its objects in the colours of the identities that found them."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vis_pipeline.data.fit import checked_annotations, listed
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import DataError
from vis_pipeline.masks.track_iou import DamagedTrackError, parse_tracks, track_iou
from vis_pipeline.structures.splits import Annotation, Video
from vis_pipeline.visualize.identities import Identity
from vis_pipeline.visualize.run_videos import RunVideo
from vis_pipeline.visualize.text import can_draw

LEAST_IOU = 0.1
"""An object and an identity with less in common over the whole video are not counterparts."""


class GroundTruth:
    """The annotations of a split, video by video.

    Raises:
        DataError: the file cannot be read, contradicts itself, or has no annotations.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        split = read_split(path)
        try:
            annotations = checked_annotations(split)
        except DataError as error:
            raise DataError(f"--gt {path}: {error}") from error
        self._videos = split.videos_by_id()
        self._categories = split.categories
        self._annotations: dict[int, list[Annotation]] = {video: [] for video in self._videos}
        for annotation in annotations:
            self._annotations[annotation.video_id].append(annotation)

    @property
    def all_names(self) -> Mapping[int, str]:
        """Names of the categories by id, as they are written."""
        return {category.id: category.name for category in self._categories}

    def named(self, names: Collection[str]) -> frozenset[int]:
        """Ids of the categories of these names."""
        return frozenset(category.id for category in self._categories if category.name in names)

    @property
    def class_names(self) -> Mapping[int, str]:
        """Names of the categories by id, those that can be drawn."""
        return {category.id: category.name for category in self._categories if can_draw(category.name)}

    def objects(self, video: RunVideo) -> list[Annotation]:
        """The objects of a video of a run: that of its id, or for a run without a split of its name.

        A file of one video is that of a run's only one, whatever its name.

        Raises:
            DataError: the file has no such video, or one of another size or length.
        """
        name, outcome = video.source.name, video.outcome
        same = self._named(name) if video.split_id is None else self._videos.get(video.split_id)
        if same is None:
            called = f"{name!r}" if video.split_id is None else f"{video.split_id} ({name})"
            raise DataError(f"--gt {self._path}: has no video {called}, only {listed(sorted(self._videos))}")
        theirs = (same.width, same.height, same.length)
        ours = (outcome.width, outcome.height, outcome.length)
        if theirs != ours:
            said = [f"{width}x{height}, {length} frames" for width, height, length in (theirs, ours)]
            raise DataError(f"--gt {self._path}: video {same.id} ({same.name}) is {said[0]}, in the run {said[1]}")
        return self._annotations[same.id]

    def _named(self, name: str) -> Video | None:
        every = list(self._videos.values())
        return every[0] if len(every) == 1 else next((video for video in every if video.name == name), None)


def true_identities(
    objects: Sequence[Annotation],
    shown: Sequence[Identity],
    class_names: Mapping[int, str],
    numbered: int,
) -> tuple[Identity, ...]:
    """The objects of one video as identities, those first that have a counterpart among the `shown`.

    Counterparts are found by the IoU of whole tracks, whatever the class, each for one: so that the sum is largest.
    They have the number and so the colour of their identity, and the IoU as their figure. The others are numbered on
    from `numbered`, how many identities the video has.

    Raises:
        DataError: a mask is damaged.
    """
    try:
        iou = _ious(objects, shown)
    except DamagedTrackError as error:
        raise DataError(f"video {objects[0].video_id}: {error}") from error
    pairs = dict(zip(*linear_sum_assignment(-iou), strict=True))
    found = {int(row): int(column) for row, column in pairs.items() if iou[row, column] >= LEAST_IOU}
    missed = [row for row in range(len(objects)) if row not in found]
    order = sorted(found, key=lambda row: shown[found[row]].number)
    numbers = [shown[found[row]].number for row in order] + [numbered + 1 + place for place in range(len(missed))]
    figures = [f"{iou[row, found[row]]:.2f}" for row in order] + ["-" for _ in missed]
    return tuple(
        Identity(
            number,
            class_names.get(objects[row].category_id, f"class {objects[row].category_id}"),
            None,
            objects[row].segmentations,
            objects[row].category_id,
            figure=figure,
        )
        for row, number, figure in zip([*order, *missed], numbers, figures, strict=True)
    )


def _ious(objects: Sequence[Annotation], shown: Sequence[Identity]) -> NDArray[np.float64]:
    """Video-level IoU of every object and identity, float64 [N, M]."""
    if not objects or not shown:
        return np.zeros((len(objects), len(shown)))
    length = len(objects[0].segmentations)
    truth = parse_tracks([annotation.segmentations for annotation in objects], length)
    found = parse_tracks([[identity.mask(index) for index in range(length)] for identity in shown], length)
    return track_iou(truth, found)
