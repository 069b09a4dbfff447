"""A run's tracks on its frames: masks and labels, and below them the identities' timelines."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.structures.frames import BadFrame, Frame
from vis_pipeline.visualize.identities import Identity
from vis_pipeline.visualize.labels import room_for_full
from vis_pipeline.visualize.legend import legend
from vis_pipeline.visualize.marks import draw_sample
from vis_pipeline.visualize.overlay import Label, TrackPainter, label_font_size, label_size
from vis_pipeline.visualize.style import TRACK_STYLE, Part, Style
from vis_pipeline.visualize.text import Colour, draw_text, text_size
from vis_pipeline.visualize.timeline import TimelineRow, timeline

_INK: Colour = (190, 185, 185)
_BACKGROUND: Colour = (28, 25, 24)
_TEXT: Colour = (245, 245, 245)
_FONT_SIZE = 15


class TrackArtist:
    """Draws identities, the first on top; see :class:`vis_pipeline.visualize.renderer.Artist`.

    Labels have names where there is room for all of them, and stay where they are from frame to frame if they can.
    `name` is what the panel is called in its corner and over its timelines, `remark` what is said there of the figures.
    """

    panels = 1

    def __init__(
        self, identities: Sequence[Identity], style: Style = TRACK_STYLE, name: str = "", remark: str = ""
    ) -> None:
        self._identities = identities
        self._style = style
        self._name = name
        self._remark = remark
        self._colours = np.array([identity.colour for identity in identities], dtype=np.uint8).reshape(-1, 3)
        # By the size of the pictures, of which there may be several.
        self._painters: dict[tuple[int, ...], TrackPainter] = {}
        self._tile_labels: list[Label] | None = None
        self._centres: dict[int, NDArray[np.float64]] = {}

    def on_video(self, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str) -> NDArray[np.uint8]:
        """A frame with all labels."""
        if image.shape not in self._painters:
            labels = self._labels(image, lambda identity: identity.label)
            self._painters[image.shape] = TrackPainter(labels, self._colours, self._style)
        return self._drawn(self._painters[image.shape], image, frame, caption)

    def on_tile(self, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str) -> NDArray[np.uint8]:
        """A frame whose labels leave the scores out; they owe nothing to the tile before, which is too long ago."""
        if self._tile_labels is None:
            self._tile_labels = self._labels(image, lambda identity: identity.brief_label)
        return self._drawn(TrackPainter(self._tile_labels, self._colours, self._style), image, frame, caption)

    def strip(self, length: int, width: int, marked: Sequence[int], lost: Sequence[int]) -> NDArray[np.uint8]:
        """Timelines; over them a legend where masks were only predicted."""
        rows = [
            TimelineRow(one.number, one.class_name, one.figure, one.colour, one.visible(length), one.guessed(length))
            for one in self._identities
        ]
        lines = timeline(rows, length, width, marked, lost)
        heading = [_heading(self._name, self._remark, width)] if self._name else []
        if not any(row.predicted.any() for row in rows):
            return np.concatenate([*heading, lines])
        kinds = [
            (partial(draw_sample, colour=_INK, hatched=False), "detected (thick bar)"),
            (partial(draw_sample, colour=_INK, hatched=True), "predicted, no detection confirmed it (thin bar)"),
        ]
        return np.concatenate([*heading, legend(width, kinds), lines])

    def _drawn(
        self, painter: TrackPainter, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str
    ) -> NDArray[np.uint8]:
        rles = [identity.mask(frame.index) for identity in self._identities]
        predicted = {place for place, one in enumerate(self._identities) if frame.index in one.predicted}
        said = [self._name, caption if Part.CAPTION in self._style else ""]
        return painter.draw(image, rles, " · ".join(filter(None, said)), predicted, self._trails(image, frame.index))

    def _trails(self, image: NDArray[np.uint8], index: int) -> list[NDArray[np.float64]]:
        """The way of each identity until this frame in pixels of the image, [n, 2] each."""
        if Part.TRAILS not in self._style:
            return []
        window = range(max(index - self._style.trail + 1, 0), index + 1)
        self._centres = {
            past: self._centres[past] if past in self._centres else self._centres_at(past) for past in window
        }
        ways = np.stack([self._centres[past] for past in window], axis=1) * (image.shape[1], image.shape[0])
        return list(ways)

    def _centres_at(self, index: int) -> NDArray[np.float64]:
        return np.array([identity.centre(index) for identity in self._identities]).reshape(-1, 2)

    def _labels(self, image: NDArray[np.uint8], wording: Callable[[Identity], Label]) -> list[Label]:
        """The label of each identity on images of this size, of the short form alone where names have no room."""
        labels = [wording(identity) for identity in self._identities]
        size = label_font_size(*image.shape[:2])
        roomy = room_for_full([label_size(label.full, size) for label in labels], self._boxes(image), image.shape[:2])
        return [
            label if room else Label(label.short, label.short)
            for label, room in zip(labels, roomy.tolist(), strict=True)
        ]

    def _boxes(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The boxes x, y, w, h of all identities in all frames at the image's scale, [T, N, 4]."""
        length = max((len(identity.segmentations) for identity in self._identities), default=0)
        boxes = np.zeros((length, len(self._identities), 4))
        for place, identity in enumerate(self._identities):
            there = {frame: rle for frame, rle in enumerate(identity.segmentations) if rle is not None}
            if there:
                height, width = next(iter(there.values()))["size"]
                scale = np.array([image.shape[1] / width, image.shape[0] / height] * 2)
                boxes[list(there), place] = masks.bounding_boxes(list(there.values())) * scale
        return boxes


def _heading(name: str, remark: str, width: int) -> NDArray[np.uint8]:
    """The name of a panel over its timelines, uint8 [H, width, 3]."""
    name_width, height = text_size(name, _FONT_SIZE, bold=True)
    line = np.full((height + 8, width, 3), _BACKGROUND, dtype=np.uint8)
    draw_text(line, name, 0, 2, _FONT_SIZE, _TEXT, bold=True)
    draw_text(line, remark, name_width + 16, 4, _FONT_SIZE - 2, _INK)
    return line
