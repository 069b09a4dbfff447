"""Choosing pairs: which object, frames and crop windows the network learns from at one step."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vis_pipeline.trackers.siammask.architectures import SEARCH_SIDE, TEMPLATE_SIDE
from vis_pipeline.trackers.siammask.geometry import context_side
from vis_pipeline.training.tracker.settings import AugmentSettings, PairSettings
from vis_pipeline.training.tracker.sources import TrainingSet

CONTEXT = 0.5
"""Share of the mean side that a crop adds around the object (SiamFC; kept by SiamMask)."""

_CANDIDATES = 8
"""Objects that are looked at in search of a negative one: of the wanted class and apart from the exemplar's."""

NEAREST_SEARCH = 255 / 2
"""A negative crop keeps the exemplar's object this far, in crop pixels along one axis, from the crop's centre."""


MOST_GROWTH = 1.4
"""How many times larger or smaller an object may have been in the near frame that sets its crop's size."""


@dataclass(frozen=True)
class CropWindow:
    """A square of a frame that becomes a crop.

    Attributes:
        video, frame: where it is cut.
        x, y: centre in pixels; the frame's top-left corner is (0, 0), its first pixel's centre (0.5, 0.5).
        side: pixels of the frame that the crop spans.
        size: side of the crop in its own pixels.
    """

    video: int
    frame: int
    x: float
    y: float
    side: float
    size: int


@dataclass(frozen=True)
class Pair:
    """An exemplar, a search crop and a second-stage crop of one object.

    Attributes:
        target: index of the object that the search crop is cut around: the exemplar's, in a negative pair another one
            or the exemplar's where it is hidden.
        positive: whether the exemplar's object is in the search crop.
        target_box: the target's box in the search frame as x, y, w, h in pixels (hidden: where it was seen last).
        flip: both frames are mirrored before cropping (the windows are those of the unmirrored frames).
    """

    exemplar: CropWindow
    search: CropWindow
    second: CropWindow
    target: int
    positive: bool
    target_box: NDArray[np.float64]
    flip: bool


@dataclass(frozen=True)
class _Sight:
    """Where the search image is cut: around `box` (x, y, w, h) in `frame` of the object numbered `index`."""

    index: int
    frame: int
    box: NDArray[np.float64]


class PairSampler:
    """Draws pairs from a training set. It keeps no state: a pair depends on the generator alone."""

    def __init__(self, data: TrainingSet, pairs: PairSettings, augment: AugmentSettings) -> None:
        self._data = data
        self._pairs = pairs
        self._augment = augment
        self._shares = np.cumsum(data.weights)
        self._by_category: dict[tuple[int, int], list[int]] = {}
        for index, entry in enumerate(data.objects):
            self._by_category.setdefault(entry.category, []).append(index)

    def draw(self, rng: Generator, search_size: int = SEARCH_SIDE) -> Pair:
        """One pair with a search crop of `search_size` pixels, at the scale of a 255 crop."""
        source = self._any(rng)
        entry = self._data.objects[source]
        exemplar_frame = _pick(entry.clear, rng)
        if rng.random() < self._pairs.negatives:
            sight = self._hidden(source, rng) if rng.random() < self._pairs.hidden else None
            sight = sight or self._other(source, rng)
            if sight is not None:
                return self._pair(source, exemplar_frame, sight, False, search_size, rng)
        near = self._near(entry.visible, exemplar_frame)
        if rng.random() < self._pairs.crowded and len(crowded := self._near(entry.crowded, exemplar_frame)):
            near = crowded
        return self._pair(source, exemplar_frame, self._sight(source, _pick(near, rng)), True, search_size, rng)

    def _any(self, rng: Generator) -> int:
        """Any object, by the sources' weights."""
        place = int(np.searchsorted(self._shares, rng.random() * self._shares[-1], side="right"))
        return min(place, len(self._shares) - 1)

    def _near(self, frames: NDArray[np.int64], frame: int) -> NDArray[np.int64]:
        return frames[np.abs(frames - frame) <= self._pairs.max_gap]

    def _sight(self, index: int, frame: int) -> "_Sight":
        return _Sight(index, frame, self._data.objects[index].boxes[frame])

    def _hidden(self, source: int, rng: Generator) -> "_Sight | None":
        """A frame in which the object is hidden, at the place where it was seen last."""
        entry = self._data.objects[source]
        if not len(entry.hidden):
            return None
        frame = _pick(entry.hidden, rng)
        last = entry.visible[np.searchsorted(entry.visible, frame) - 1]
        return _Sight(source, frame, entry.boxes[last])

    def _other(self, source: int, rng: Generator) -> "_Sight | None":
        """Another object: half the time of the same video if one lies apart there, else of any by the sources' shares.

        Where no object of the wanted class is found, one of another class serves, and the other way round.
        """
        alike = bool(rng.random() < self._pairs.lookalikes)
        entry = self._data.objects[source]
        everywhere = [self._any(rng) for _ in range(_CANDIDATES)]
        searched = [(everywhere, False), (everywhere, True)]
        if alike:
            searched.insert(0, (self._few(self._by_category[entry.category], source, rng), True))
        if rng.random() < 0.5:
            searched.insert(0, (self._few(self._data.videos[entry.video].objects, source, rng), alike))
        sights = (self._first_apart(source, candidates, wanted, rng) for candidates, wanted in searched)
        return next((sight for sight in sights if sight is not None), None)

    def _few(self, indices: Sequence[int], source: int, rng: Generator) -> list[int]:
        """Some of the indices, which rise and have the source among them, but not the source."""
        others = len(indices) - 1
        if not others:
            return []
        places = rng.integers(others, size=min(others, _CANDIDATES))
        return [indices[place] for place in places + (places >= bisect_left(indices, source))]

    def _first_apart(self, source: int, candidates: Sequence[int], alike: bool, rng: Generator) -> "_Sight | None":
        """The first candidate of the source's class, or if not `alike` of another, in a frame where it lies apart."""
        objects = self._data.objects
        for other in candidates:
            if other == source or (objects[other].category == objects[source].category) != alike:
                continue
            frame = _pick(objects[other].visible, rng)
            if objects[other].video != objects[source].video or self._apart(source, other, frame):
                return self._sight(other, frame)
        return None

    def _apart(self, source: int, other: int, frame: int) -> bool:
        """Whether no search crop around `other`, however shifted and scaled, has the centre of `source` in it."""
        ours, theirs = self._data.objects[source].boxes[frame], self._data.objects[other].boxes[frame]
        if not ours[2]:
            return True
        gap = np.abs(ours[:2] + ours[2:] / 2 - theirs[:2] - theirs[2:] / 2).max()
        reach = (NEAREST_SEARCH + self._augment.search_shift) * (1 + self._augment.search_scale)
        if self._pairs.history:
            reach *= MOST_GROWTH
        return bool(gap > reach * context_side(theirs[2], theirs[3]) / TEMPLATE_SIDE)

    def _pair(
        self, source: int, exemplar_frame: int, sight: "_Sight", positive: bool, search_size: int, rng: Generator
    ) -> Pair:
        settings = self._augment
        exemplar_object = self._data.objects[source]
        exemplar_box = exemplar_object.boxes[exemplar_frame]
        video = self._data.objects[sight.index].video
        search_side = self._reference_side(sight, rng) * search_size / TEMPLATE_SIDE
        search_shift = settings.search_shift * (search_size - TEMPLATE_SIDE) / (SEARCH_SIDE - TEMPLATE_SIDE)
        return Pair(
            exemplar=_shifted(
                exemplar_object.video,
                exemplar_frame,
                exemplar_box,
                context_side(*exemplar_box[2:]) * _factor(settings.exemplar_scale, rng),
                TEMPLATE_SIDE,
                settings.exemplar_shift,
                rng,
            ),
            search=_shifted(
                video,
                sight.frame,
                sight.box,
                search_side * _factor(settings.search_scale, rng),
                search_size,
                search_shift,
                rng,
            ),
            second=self._second(video, sight.frame, sight.box, rng),
            target=sight.index,
            positive=positive,
            target_box=sight.box,
            flip=bool(rng.random() < settings.flip),
        )

    def _reference_side(self, sight: "_Sight", rng: Generator) -> float:
        """The exemplar side of the box that sets the crop's size: the target's own, or that of a near frame."""
        own = context_side(*sight.box[2:])
        history = self._pairs.history
        if not history or rng.random() < 0.5:
            return own
        entry = self._data.objects[sight.index]
        near = entry.visible[np.abs(entry.visible - sight.frame) <= history]
        if not len(near):
            return own
        other = context_side(*entry.boxes[_pick(near, rng)][2:])
        return float(np.clip(other, own / MOST_GROWTH, MOST_GROWTH * own))

    def _second(self, video: int, frame: int, box: NDArray[np.float64], rng: Generator) -> CropWindow:
        """The window around the target's box with the errors of a predicted one."""
        low, high = np.log(self._augment.refine_scale)
        size = box[2:] * np.exp(rng.uniform(low, high) / 2 + rng.uniform(low, high, 2) / 2)
        shift = rng.uniform(-1, 1, 2) * self._augment.refine_shift * box[2:]
        x, y = box[:2] + box[2:] / 2 + shift
        return CropWindow(video, frame, float(x), float(y), context_side(*size), TEMPLATE_SIDE)


def _pick(values: NDArray[np.int64], rng: Generator) -> int:
    return int(values[rng.integers(len(values))])


def _factor(scale: float, rng: Generator) -> float:
    return 1 + float(rng.uniform(-scale, scale))


def _shifted(
    video: int, frame: int, box: NDArray[np.float64], side: float, size: int, shift: float, rng: Generator
) -> CropWindow:
    """A window around a box's centre, moved by up to `shift` pixels of the crop along each axis."""
    x, y = box[:2] + box[2:] / 2 + rng.uniform(-shift, shift, 2) * side / size
    return CropWindow(video, frame, float(x), float(y), side, size)
