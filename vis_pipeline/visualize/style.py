"""What is drawn of an object, and how."""

from dataclasses import dataclass
from enum import Enum

from vis_pipeline.settings.misspelt import named


class Part(str, Enum):
    """One of the things that can be drawn on a frame."""

    FILL = "fill"
    CONTOUR = "contour"
    BOXES = "boxes"
    TRAILS = "trails"
    LABELS = "labels"
    CAPTION = "caption"


@dataclass(frozen=True)
class Style:
    """What is drawn on frames.

    Attributes:
        parts: the kinds of things, in whatever order: fills lie below outlines, trails, boxes and labels.
        opacity: of fills, 0..1.
        trail: over how many frames, this one included, the way of an object's centre is drawn.
    """

    parts: frozenset[Part] = frozenset({Part.FILL, Part.CONTOUR, Part.LABELS, Part.CAPTION})
    opacity: float = 0.42
    trail: int = 20

    def __contains__(self, part: Part) -> bool:
        return part in self.parts


TRACK_STYLE = Style()
"""Of the tracks of a run: masks and labels."""

OBJECT_STYLE = Style(TRACK_STYLE.parts | {Part.BOXES})
"""Of one object: its boxes, too."""


def parts_from_text(text: str) -> frozenset[Part]:
    """The parts named in a list such as `fill,boxes`.

    Raises:
        ConfigError: one of them is none.
    """
    return named("--draw", text, Part)
