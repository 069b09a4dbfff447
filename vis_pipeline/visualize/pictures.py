"""Which pictures are made of a video, and where they go."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vis_pipeline.data.frames import ImageFrames, VideoFrames
from vis_pipeline.errors import DataError
from vis_pipeline.settings.misspelt import named
from vis_pipeline.structures.frames import FrameSource
from vis_pipeline.visualize.frame_choice import EVERY_FRAME, FrameChoice


class Form(str, Enum):
    """A form of pictures."""

    MP4 = "mp4"
    GIF = "gif"
    FRAMES = "frames"
    SHEET = "sheet"


_ENDINGS = {Form.MP4: ".mp4", Form.GIF: ".gif", Form.FRAMES: "_frames", Form.SHEET: ".png"}


@dataclass(frozen=True)
class Pictures:
    """The pictures that are wanted of a video.

    Attributes:
        forms: of which kinds.
        width: of a frame in mp4, GIF and PNG, pixels; a pair of panels is twice as wide. None: an mp4's frames are
            enlarged until they can be drawn on, a GIF's brought to a size for a page, and PNGs have the frame's own.
        frames_per_second: None: as the source shows them.
        only: the frames that are drawn.
    """

    forms: frozenset[Form] = frozenset({Form.MP4, Form.SHEET})
    width: int | None = None
    frames_per_second: float | None = None
    only: FrameChoice = EVERY_FRAME


MP4_AND_SHEET = Pictures()


def forms_from_text(text: str) -> frozenset[Form]:
    """The forms named in a list such as `gif,sheet`.

    Raises:
        ConfigError: one of them is none.
    """
    return named("--as", text, Form)


def picture_files(source: FrameSource, target: Path, pictures: Pictures = MP4_AND_SHEET) -> dict[Form, Path]:
    """Where a video's pictures go: `<target>.mp4`, `.gif`, `_frames/` and `.png`.

    Raises:
        DataError: the video itself, or its images, lie there.
    """
    files = {form: target.with_name(target.name + _ENDINGS[form]) for form in Form if form in pictures.forms}
    for path in files.values():
        if path.exists() and any(path.samefile(own) for own in _own_places(source)):
            raise DataError(f"video {path}: its pictures would take its place; give another --out")
    return files


def _own_places(source: FrameSource) -> set[Path]:
    """The files and folders in which a source's frames lie, as far as pictures could take their place."""
    if isinstance(source, VideoFrames):
        return {source.path}
    paths = source.paths if isinstance(source, ImageFrames) else ()
    return {place for place in (*paths, *(path.parent for path in paths)) if place.exists()}
