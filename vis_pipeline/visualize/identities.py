"""The tracks of one video's results as identities: a number, a colour, a class name and a score that stay."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.masks import Rle
from vis_pipeline.structures.tracks import TrackResult
from vis_pipeline.visualize.fonts import clusters
from vis_pipeline.visualize.overlay import Label
from vis_pipeline.visualize.palette import identity_colours
from vis_pipeline.visualize.text import isolated

# Letters of a class name on a label.
_LONGEST_NAME = 24


@dataclass(frozen=True)
class Identity:
    """One track to draw.

    Attributes:
        number: counts from 1 by descending score within its video; the colour follows from it.
        class_name: as it is written.
        score: of the whole track; None for the ground truth, which has none.
        segmentations: a mask or None for each frame.
        category_id: its class.
        predicted: the frames whose mask no detection stands behind, as far as that is known.
        figure: what a table says of it, such as the score.
    """

    number: int
    class_name: str
    score: float | None
    segmentations: tuple[Rle | None, ...]
    category_id: int
    predicted: Collection[int] = frozenset()
    figure: str = ""

    @property
    def colour(self) -> NDArray[np.uint8]:
        """BGR, uint8 [3]."""
        return np.asarray(identity_colours(self.number)[-1])

    @property
    def label(self) -> Label:
        """Number, class and score, or the number alone."""
        score = "" if self.score is None else f" {self.score:.2f}"
        return Label(f"{self.number} {self._brief_name}{score}", str(self.number))

    @property
    def brief_label(self) -> Label:
        """Number and class, or the number alone."""
        return Label(f"{self.number} {self._brief_name}", str(self.number))

    @property
    def _brief_name(self) -> str:
        letters = clusters(self.class_name)
        cut = len(letters) > _LONGEST_NAME
        return isolated("".join(letters[: _LONGEST_NAME - 1]).rstrip() + "…" if cut else self.class_name)

    def mask(self, frame_index: int) -> Rle | None:
        """The mask in one frame; None where it is empty, and beyond the track's end."""
        rle = self.segmentations[frame_index] if frame_index < len(self.segmentations) else None
        return rle if rle is not None and masks.area([rle])[0] > 0 else None

    def centre(self, frame_index: int) -> NDArray[np.float64]:
        """The mask's centre of mass x, y in one frame, as shares of the frame's width and height; NaN where it is not.

        float64 [2].
        """
        if (rle := self.mask(frame_index)) is None:
            return np.full(2, np.nan)
        height, width = rle["size"]
        rows, columns = np.nonzero(masks.decode(rle))
        return np.array([(columns.mean() + 0.5) / width, (rows.mean() + 0.5) / height])

    def visible(self, length: int) -> NDArray[np.bool_]:
        """In which of `length` frames the track has a mask, bool [length]."""
        return np.array([self.mask(index) is not None for index in range(length)], dtype=np.bool_)

    def guessed(self, length: int) -> NDArray[np.bool_]:
        """In which of `length` frames the track has a mask that is only predicted, bool [length]."""
        return self.visible(length) & np.isin(np.arange(length), list(self.predicted))


def identities(
    tracks: Sequence[TrackResult],
    class_names: Mapping[int, str],
    score_threshold: float,
    predicted: Sequence[Collection[int]] | None = None,
) -> tuple[Identity, ...]:
    """The identities of one video whose score is at least `score_threshold`, best first.

    `predicted[i]` has the frames in which track i was predicted; None where that is not known. Equal scores keep the
    order of `tracks`. The threshold leaves the numbers and colours of the others as they are. A category without a name
    is called `class <id>`.
    """
    every = predicted or [frozenset[int]()] * len(tracks)
    ordered = sorted(zip(tracks, every, strict=True), key=lambda pair: -pair[0].score)
    return tuple(
        Identity(
            number,
            class_names.get(track.category_id, f"class {track.category_id}"),
            track.score,
            track.segmentations,
            track.category_id,
            frames,
            f"{track.score:.2f}",
        )
        for number, (track, frames) in enumerate(ordered, start=1)
        if track.score >= score_threshold
    )
