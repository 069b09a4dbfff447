"""The drawn frames of a video on their way into files, one after another."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.data.frames import VideoFrames
from vis_pipeline.structures.frames import BadFrame, Frame, FrameSource
from vis_pipeline.visualize.contact_sheet import resized
from vis_pipeline.visualize.frame_choice import EVERY_FRAME
from vis_pipeline.visualize.frame_files import frame_file, make_folder, write_png
from vis_pipeline.visualize.gif_writer import GifWriter
from vis_pipeline.visualize.marks import SHORT_SIDE
from vis_pipeline.visualize.overlay import enlarged
from vis_pipeline.visualize.pair_artist import panel_gap
from vis_pipeline.visualize.pictures import Form, Pictures
from vis_pipeline.visualize.video_writer import LONGEST_SIDE, Mp4Writer

DEFAULT_RATE = 10.0

# Pixels of a GIF's longest side, less where panels share a width that fits a page.
_GIF_SIDE, _GIF_WIDTH = 480, 720


class Film(Protocol):
    """A file, or a folder of files, that takes the drawn frames of one video in order.

    Attributes:
        form: which kind it is.
        size: width and height of its frames in pixels, once there is one.
    """

    form: Form
    size: tuple[int, int]

    def scaled(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A frame's image, uint8 [H, W, 3], in the size in which it is drawn on; each panel has this size."""
        ...

    def write(self, drawn: NDArray[np.uint8], frame: Frame | BadFrame) -> None:
        """Add a drawn frame.

        Raises:
            DataError: it cannot be written.
        """
        ...


def opened_films(
    stack: ExitStack, source: FrameSource, files: Mapping[Form, Path], pictures: Pictures, panels: int
) -> list[Film]:
    """The films that are wanted of a source; those that must be finished are when the stack is closed.

    Raises:
        DataError: nothing can be written there, or the source cannot be read.
    """
    films: list[Film] = []
    rate, sound, whole = pictures.frames_per_second or DEFAULT_RATE, None, True
    if isinstance(source, VideoFrames) and pictures.frames_per_second is None:
        rate = source.frame_rate() or DEFAULT_RATE
        sound, whole = source.path if pictures.only == EVERY_FRAME else None, not source.limits
    if Form.MP4 in files:
        mp4 = stack.enter_context(Mp4Writer(files[Form.MP4], rate, sound=sound, sound_to_the_end=whole))
        films.append(_Moving(Form.MP4, mp4, pictures, panels))
    if Form.GIF in files:
        gif = stack.enter_context(GifWriter(files[Form.GIF], rate))
        films.append(_Moving(Form.GIF, gif, pictures, panels))
    if Form.FRAMES in files:
        make_folder(files[Form.FRAMES])
        films.append(_Stills(files[Form.FRAMES], pictures.width))
    return films


class _Moving:
    """An mp4 or GIF, whose frames have times."""

    def __init__(self, form: Form, writer: Mp4Writer | GifWriter, pictures: Pictures, panels: int) -> None:
        self.form = form
        self.size = (0, 0)
        self._writer = writer
        self._pictures = pictures
        self._panels = panels
        self._begun: float | None = None

    def scaled(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._pictures.width is not None:
            return _of_width(image, self._pictures.width)
        if self.form is Form.GIF:
            return _for_page(image, self._panels)
        return _for_mp4(image, self._panels)

    def write(self, drawn: NDArray[np.uint8], frame: Frame | BadFrame) -> None:
        self.size = (drawn.shape[1], drawn.shape[0])
        time = frame.time if self._pictures.frames_per_second is None else None
        if time is not None and self._pictures.only != EVERY_FRAME:
            self._begun = time if self._begun is None else self._begun
            time -= self._begun
        self._writer.write(drawn, time)


class _Stills:
    """A folder of PNG files."""

    form = Form.FRAMES

    def __init__(self, folder: Path, width: int | None) -> None:
        self.size = (0, 0)
        self._folder = folder
        self._width = width

    def scaled(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image if self._width is None else _of_width(image, self._width)

    def write(self, drawn: NDArray[np.uint8], frame: Frame | BadFrame) -> None:
        self.size = (drawn.shape[1], drawn.shape[0])
        write_png(frame_file(self._folder, frame.index), drawn)


def _of_width(image: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return image if image.shape[1] == width else resized(image, height, width)


def _for_mp4(image: NDArray[np.uint8], panels: int) -> NDArray[np.uint8]:
    """The image [H, W, 3] large enough to be drawn on, small enough for so many panels of it to be encoded."""
    grown = enlarged(image)
    room = LONGEST_SIDE - (panels - 1) * panel_gap(LONGEST_SIDE)
    share = min(1.0, LONGEST_SIDE / grown.shape[0], room / (panels * grown.shape[1]))
    return grown if share == 1 else _scaled(grown, share)


def _for_page(image: NDArray[np.uint8], panels: int) -> NDArray[np.uint8]:
    """The image [H, W, 3] in a size that loads with a page: smaller where it is larger, and the other way round."""
    share = min(_GIF_SIDE / max(image.shape[:2]), _GIF_WIDTH / (panels * image.shape[1]))
    return image if share >= 1 and min(image.shape[:2]) >= SHORT_SIDE else _scaled(image, share)


def _scaled(image: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    return resized(image, *(max(1, int(side * share)) for side in image.shape[:2]))
