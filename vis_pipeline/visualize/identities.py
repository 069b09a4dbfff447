"""The tracks of one video's results as identities: a number, a colour, a class name and a score that stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.data.youtube_vis import TrackResult
from vis_pipeline.masks import Rle
from vis_pipeline.visualize.overlay import Label
from vis_pipeline.visualize.palette import identity_colours


@dataclass(frozen=True)
class Identity:
    """One track to draw: `number` counts from 1 by descending score within its video; the colour follows from it."""

    number: int
    class_name: str
    score: float
    segmentations: tuple[Rle | None, ...]

    @property
    def colour(self) -> NDArray[np.uint8]:
        """BGR, uint8 [3]."""
        return np.asarray(identity_colours(self.number)[-1])

    @property
    def label(self) -> Label:
        """Number, class and score, or the number alone."""
        return Label(f"{self.number} {self.class_name} {self.score:.2f}", str(self.number))

    def mask(self, frame_index: int) -> Rle | None:
        """The mask in one frame; None where it is empty, and beyond the track's end."""
        rle = self.segmentations[frame_index] if frame_index < len(self.segmentations) else None
        return rle if rle is not None and masks.area([rle])[0] > 0 else None

    def visible(self, length: int) -> NDArray[np.bool_]:
        """In which of `length` frames the track has a mask, bool [length]."""
        return np.array([self.mask(index) is not None for index in range(length)], dtype=np.bool_)


def identities(
    tracks: Sequence[TrackResult], class_names: Mapping[int, str], score_threshold: float
) -> tuple[Identity, ...]:
    """The identities of one video whose score is at least `score_threshold`, best first.

    Equal scores keep the order of `tracks`. The threshold leaves the numbers and colours of the others as they are. A
    category without a name is called `class <id>`.
    """
    ordered = sorted(tracks, key=lambda track: -track.score)
    named = [(class_names.get(track.category_id, f"class {track.category_id}"), track) for track in ordered]
    return tuple(
        Identity(number, name, track.score, track.segmentations)
        for number, (name, track) in enumerate(named, start=1)
        if track.score >= score_threshold
    )
