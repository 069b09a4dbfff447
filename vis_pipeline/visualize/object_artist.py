"""One tracked object on its frames: mask, boxes and score, and below them the score over time."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.data.object_track import ObjectInFrame, ObjectTrack
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import BadFrame, Frame
from vis_pipeline.visualize.labels import PlacedLabel, place_labels
from vis_pipeline.visualize.legend import Swatch, legend
from vis_pipeline.visualize.marks import as_colour, box_corners, draw_box, draw_mask, draw_sample, draw_trail
from vis_pipeline.visualize.overlay import draw_caption, draw_label, label_font_size, label_size
from vis_pipeline.visualize.palette import identity_colours
from vis_pipeline.visualize.score_strip import FILL, score_strip
from vis_pipeline.visualize.style import OBJECT_STYLE, Part, Style
from vis_pipeline.visualize.text import Colour, fill_box

_COLOUR = identity_colours(1)[0]
_MASK = as_colour(_COLOUR)
_ROTATED_BOX: Colour = (0, 190, 255)
_STATE_BOX: Colour = (245, 245, 245)


class ObjectArtist:
    """Draws one object; see :class:`vis_pipeline.visualize.renderer.Artist`."""

    panels = 1

    def __init__(self, track: ObjectTrack, style: Style = OBJECT_STYLE) -> None:
        self._track = track
        self._style = style
        # By the size of the pictures, of which there may be several.
        self._places: dict[tuple[int, ...], PlacedLabel | None] = {}
        self._scores: dict[int, float] = {}
        self._order = {name: place for place, name in enumerate(track.found)}
        self._boxes = np.array([found.rotated_box for found in track.found.values()])

    def on_video(self, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str) -> NDArray[np.uint8]:
        """A frame with mask, state box, rotated box and score, which holds on to its place.

        Raises:
            DataError: it is none of the track's frames, or not of their size.
        """
        canvas, self._places[image.shape] = self._drawn(image, frame, caption, self._places.get(image.shape))
        return canvas

    def on_tile(self, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str) -> NDArray[np.uint8]:
        """The same on a frame by itself."""
        return self._drawn(image, frame, caption, None)[0]

    def strip(self, length: int, width: int, marked: Sequence[int], lost: Sequence[int]) -> NDArray[np.uint8]:
        """A legend, and the scores of the frames that were drawn."""
        outlined = Style(self._style.parts & {Part.FILL, Part.CONTOUR}, self._style.opacity)
        kinds: list[tuple[Swatch, str]] = []
        if outlined.parts:
            kinds += [(partial(draw_sample, colour=_MASK, hatched=False, style=outlined), "mask")]
        if Part.BOXES in self._style:
            kinds += [
                (partial(_draw_box_sample, colour=_ROTATED_BOX), "rotated box"),
                (partial(_draw_box_sample, colour=_STATE_BOX), "state box, upright"),
            ]
        kinds += [(partial(fill_box, colour=_MASK, opacity=FILL), "score over time")]
        scores = np.array([self._scores.get(index, np.nan) for index in range(length)])
        return np.concatenate([legend(width, kinds), score_strip(scores, _COLOUR, width, marked, lost)])

    def _drawn(
        self, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str, before: PlacedLabel | None
    ) -> tuple[NDArray[np.uint8], PlacedLabel | None]:
        canvas: NDArray[np.uint8] = image.copy()
        size = label_font_size(*canvas.shape[:2])
        caption = caption if Part.CAPTION in self._style else ""
        if isinstance(frame, BadFrame):
            draw_caption(canvas, caption, size)
            return canvas, None
        found = self._found(frame)
        self._scores[frame.index] = found.score
        scale = np.array([image.shape[1] / frame.image.shape[1], image.shape[0] / frame.image.shape[0]])
        if found.mask is not None and masks.area([found.mask])[0] > 0:
            draw_mask(canvas, found.mask, _MASK, style=self._style)
        if Part.TRAILS in self._style:
            place = self._order[frame.name]
            past = self._boxes[max(place - self._style.trail + 1, 0) : place + 1]
            draw_trail(canvas, past.mean(axis=1) * scale, _MASK)
        if Part.BOXES in self._style:
            draw_box(canvas, box_corners(found.box) * scale, _STATE_BOX)
            draw_box(canvas, found.rotated_box * scale, _ROTATED_BOX)
        reserved = draw_caption(canvas, caption, size)
        if Part.LABELS not in self._style:
            return canvas, None
        text = f"{found.score:.2f}"
        corners = np.clip(found.rotated_box * scale, 0, [canvas.shape[1], canvas.shape[0]])
        around = np.concatenate([corners.min(axis=0), np.ptp(corners, axis=0)])
        extent = label_size(text, size)
        (label,) = place_labels(around[None], [[extent]], (canvas.shape[0], canvas.shape[1]), reserved, [before])
        if label is not None:
            draw_label(canvas, text, label.x, label.y, size, _MASK)
        return canvas, label

    def _found(self, frame: Frame) -> ObjectInFrame:
        height, width = frame.image.shape[:2]
        if self._track.size not in (None, (height, width)):
            theirs = "x".join(str(side) for side in reversed(self._track.size or ()))
            raise DataError(f"frame {frame.name}: is {width}x{height}, but the track is of frames of {theirs}")
        if frame.name not in self._track.found:
            raise DataError(
                f"frame {frame.name}: the track has no such frame; its first is {next(iter(self._track.found))}"
            )
        return self._track.found[frame.name]


def _draw_box_sample(canvas: NDArray[np.uint8], x: int, y: int, w: int, h: int, colour: Colour) -> None:
    draw_box(canvas, box_corners(np.array([x, y, w, h], dtype=np.float64)), colour)
