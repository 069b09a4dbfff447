"""What a video's session remembers: the views of its tracks, and which of them are out of sight."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.masks.affinity import box_iou, with_sides
from vis_pipeline.structures.detections import Detections
from vis_pipeline.trackers.memory.questions import Questions
from vis_pipeline.trackers.memory.recall import recalled
from vis_pipeline.trackers.memory.settings import MemorySettings
from vis_pipeline.trackers.memory.views import Views, clear_views, views_from_tensors, views_to_tensors


@dataclass(frozen=True)
class Sighting:
    """A track with its detection of the frame.

    Attributes:
        number: of the track.
        detection: index.
        detections: of the track so far, with this one.
        began: first frame of the track.
    """

    number: int
    detection: int
    detections: int
    began: int


@dataclass(frozen=True)
class Recalled:
    """A track that is known again: the number that it has had since it came back, the one before, and the score."""

    now: int
    before: int
    score: float


class Remembering(Protocol):
    """What a session asks of its memory, in this order in each frame."""

    def ask(
        self, frame: int, detections: Detections, expected: NDArray[np.float64], ages: NDArray[np.int64]
    ) -> Questions:
        """What is to be known of a frame's detections.

        Args:
            frame: its index.
            detections: with the regions of the frame.
            expected: float64 [S, 4], x, y, w, h in pixels, where the tracks are expected that are searched for.
            ages: int64 [S], their detections so far.
        """
        ...

    def recall(self, scores: Tensor, colours: Tensor, sightings: Sequence[Sighting]) -> list[Recalled]:
        """By the answers, float32 [K], the tracks that are known again.

        `colours` are those of the frame's detections, float32 [M, B], roots of frequencies.
        """
        ...

    def look(self, colours: Tensor, sightings: Sequence[Sighting], others: NDArray[np.float64]) -> None:
        """Take the views of the frame; `others` are boxes [P, 4] (x, y, w, h) of what was shown undetected."""
        ...

    def leave(self, number: int, last_frame: int, detections: int) -> None:
        """A track has gone out of sight after so many detections; it was last shown in that frame."""
        ...

    def back(self, number: int) -> None:
        """A track that had gone out of sight was found without the memory."""
        ...

    def checkpoint(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that is remembered, in JSON form and as tensors by name."""
        ...

    def restore(self, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        ...


@dataclass(frozen=True)
class _Asked:
    """A frame that was asked about.

    Attributes:
        frame: its index.
        size: height and width.
        boxes: float64 [M, 4], x, y, w, h, of all its detections.
        scores: float64 [M].
        features: float32 [M, C, 7, 7].
        detections: int64 [D], those asked about.
        tracks: numbers of the R tracks that were asked for.
        owners: int64 [2, K], of each question the row of the D and the column of the R.
        pairs: int64 [K, 2], of each question the view and the detection.
        colours: float32 [V, B], of all views.
    """

    frame: int
    size: tuple[int, int]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    features: Tensor
    detections: NDArray[np.int64]
    tracks: tuple[int, ...]
    owners: NDArray[np.int64]
    pairs: Tensor
    colours: Tensor


class Memory:
    """Remembers by the detector's own features of its detections."""

    def __init__(self, settings: MemorySettings, device: torch.device) -> None:
        self._settings = settings
        self._device = device
        self._views: dict[int, Views] = {}
        self._away: dict[int, int] = {}
        self._asked: _Asked | None = None

    def ask(
        self, frame: int, detections: Detections, expected: NDArray[np.float64], ages: NDArray[np.int64]
    ) -> Questions:
        """See :class:`Remembering`.

        Raises:
            RuntimeError: the detections come without regions.
        """
        if detections.regions is None:
            raise RuntimeError("ask: the memory needs detections with regions; see TrackerChoice.needs_regions")
        self._forget(frame)
        measured = torch.cat([detections.boxes, detections.scores[:, None]], dim=1).double().cpu().numpy()
        corners, scores = measured[:, :4], measured[:, 4]
        boxes = with_sides(corners)
        features = detections.regions.align(detections.boxes)
        settled = expected[ages > self._settings.young_detections]
        new = box_iou(boxes, settled).max(axis=1, initial=0.0) < self._settings.expected_iou
        asked = np.flatnonzero(new)
        asked = np.sort(asked[np.argsort(-scores[asked], kind="stable")[: self._settings.max_asked]])
        tracks = tuple(self._away) if len(asked) else ()
        questions, owners = self._questions(features, asked, tracks)
        known = torch.cat([self._views[number].colours for number in tracks]) if tracks else torch.zeros(0)
        size = detections.regions.size
        self._asked = _Asked(frame, size, boxes, scores, features, asked, tracks, owners, questions.pairs, known)
        return questions

    def recall(self, scores: Tensor, colours: Tensor, sightings: Sequence[Sighting]) -> list[Recalled]:
        """See :class:`Remembering`."""
        asked = self._looked_at()
        table = np.full((len(asked.detections), len(asked.tracks)), -np.inf)
        if not table.size:
            return []
        # The detector's features say what an object is, and little of its shade, which tells two of a kind apart.
        views, seen = asked.pairs.unbind(dim=1)
        likeness = (asked.colours[views] * colours[seen]).sum(dim=1)
        np.maximum.at(table, tuple(asked.owners), (scores * likeness).double().cpu().numpy())
        rows = {detection: row for row, detection in enumerate(asked.detections.tolist())}
        young = {
            rows[sighting.detection]: sighting
            for sighting in sightings
            if sighting.detection in rows and sighting.detections <= self._settings.young_detections
        }
        allowed = np.zeros(table.shape, dtype=np.bool_)
        for row, sighting in young.items():
            # One that was found without the memory in this very frame is away no longer.
            allowed[row] = [self._away.get(number, math.inf) < sighting.began for number in asked.tracks]
        pairs = recalled(table, allowed, self._settings.score, self._settings.margin)
        again = [Recalled(young[row].number, asked.tracks[column], float(table[row, column])) for row, column in pairs]
        for known in again:
            self._join(known.now, known.before)
        return again

    def look(self, colours: Tensor, sightings: Sequence[Sighting], others: NDArray[np.float64]) -> None:
        """See :class:`Remembering`."""
        asked = self._looked_at()
        clear = clear_views(asked.boxes, asked.scores, others, asked.size, self._settings)
        for sighting in sightings:
            if not clear[sighting.detection]:
                continue
            view = asked.features[sighting.detection], colours[sighting.detection], asked.frame
            known = self._views.get(sighting.number)
            self._views[sighting.number] = Views.first(*view) if known is None else known.seen(*view, self._settings)
        self._asked = None

    def leave(self, number: int, last_frame: int, detections: int) -> None:
        """See :class:`Remembering`."""
        if detections < self._settings.least_detections:
            self._drop(number)
        elif number in self._views:
            self._away[number] = last_frame
            if len(self._away) > self._settings.max_away:
                self._drop(min(self._away, key=lambda away: self._away[away]))

    def back(self, number: int) -> None:
        """See :class:`Remembering`."""
        self._away.pop(number, None)

    def checkpoint(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """See :class:`Remembering`."""
        return {"away": list(self._away.items())}, views_to_tensors(self._views)

    def restore(self, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """See :class:`Remembering`."""
        self._away = dict(facts["away"])
        self._views = views_from_tensors(tensors, self._device)

    def _looked_at(self) -> _Asked:
        if self._asked is None:
            raise RuntimeError("memory: no frame was asked about")
        return self._asked

    def _questions(
        self, features: Tensor, asked: NDArray[np.int64], tracks: Sequence[int]
    ) -> tuple[Questions, NDArray[np.int64]]:
        """Each asked detection with each view of each track; of each question its row and its column, [2, K]."""
        if not tracks:
            return Questions.none(self._device), np.zeros((2, 0), dtype=np.int64)
        columns = np.repeat(np.arange(len(tracks)), [len(self._views[number].frames) for number in tracks])
        places, views = np.divmod(np.arange(len(asked) * len(columns)), len(columns))
        pairs = np.stack([views, asked[places]], axis=1)
        templates = torch.cat([self._views[number].templates for number in tracks])
        return (
            Questions(templates, features, torch.from_numpy(pairs).to(self._device)),
            np.stack([places, columns[views]]),
        )

    def _join(self, now: int, before: int) -> None:
        """The views of a track that is known again are those of both."""
        del self._away[before]
        if (later := self._views.pop(now, None)) is not None:
            self._views[before] = self._views[before].followed_by(later, self._settings)

    def _forget(self, frame: int) -> None:
        for number, last_frame in list(self._away.items()):
            if frame - last_frame > self._settings.max_frames:
                self._drop(number)

    def _drop(self, number: int) -> None:
        self._away.pop(number, None)
        self._views.pop(number, None)


class NoMemory:
    """Remembers nothing."""

    def __init__(self, device: torch.device) -> None:
        self._nothing = Questions.none(device)

    def ask(
        self, frame: int, detections: Detections, expected: NDArray[np.float64], ages: NDArray[np.int64]
    ) -> Questions:
        """Nothing."""
        return self._nothing

    def recall(self, scores: Tensor, colours: Tensor, sightings: Sequence[Sighting]) -> list[Recalled]:
        """None."""
        return []

    def look(self, colours: Tensor, sightings: Sequence[Sighting], others: NDArray[np.float64]) -> None:
        """Nothing."""

    def leave(self, number: int, last_frame: int, detections: int) -> None:
        """Nothing."""

    def back(self, number: int) -> None:
        """Nothing."""

    def checkpoint(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Nothing."""
        return {}, {}

    def restore(self, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Nothing."""
