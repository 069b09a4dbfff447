"""The tracks of frames as they come out of the engine, drawn and shown."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.runs.worker import Watcher
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.tracks import FrameTracks, MaskState
from vis_pipeline.visualize.overlay import Label, TrackPainter
from vis_pipeline.visualize.palette import identity_colours
from vis_pipeline.visualize.text import can_draw, isolated
from vis_pipeline.visualize.window import Window, at_window_size


class LiveArtist:
    """Draws the tracks of one frame after another; a track keeps its number, its colour and its label's place.

    What is drawn is what is known by then: numbers count births, and tracks may yet be dropped at the end.
    """

    def __init__(self, class_names: Mapping[int, str]) -> None:
        self._class_names = class_names
        self._painter = TrackPainter([], np.zeros((0, 3), np.uint8))
        self._labels: list[Label] = []

    def draw(self, image: NDArray[np.uint8], tracks: FrameTracks) -> NDArray[np.uint8]:
        """A copy of a frame's image (uint8 [H, W, 3], BGR; it may be of another scale) with its tracks."""
        shown = tracks.shown()
        ids = shown.ids.tolist()
        count = max([len(self._labels), *(number + 1 for number in ids)])
        self._labels += [Label(str(number + 1), str(number + 1)) for number in range(len(self._labels), count)]
        for number, label, score in zip(ids, shown.labels.tolist(), shown.scores.tolist(), strict=True):
            self._labels[number] = Label(f"{number + 1} {self._name(label)} {score:.2f}", str(number + 1))
        self._painter.call(self._labels, identity_colours(count))
        rles: list[masks.Rle | None] = [None] * count
        for number, rle in zip(ids, masks.encode(shown.dense()), strict=True):
            rles[number] = rle
        predicted = set(shown.ids[shown.states == MaskState.PREDICTED].tolist())
        when = "" if tracks.time is None else f" · {tracks.time:.2f} s"
        return self._painter.draw(image, rles, f"frame {tracks.index}{when}", predicted)

    def _name(self, label: int) -> str:
        name = self._class_names.get(label, "")
        return isolated(name) if can_draw(name) and name else f"class {label}"


@contextmanager
def in_a_window(title: str, class_names: Mapping[int, str]) -> Iterator[Watcher]:
    """What shows frames with their tracks in a window, which closes when the block ends."""
    artist = LiveArtist(class_names)
    with Window(title) as window:

        def watch(frame: Frame, tracks: FrameTracks) -> None:
            if window.is_open:
                window.show(artist.draw(at_window_size(frame.image), tracks))

        yield watch
