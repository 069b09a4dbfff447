"""From a video's frames, and what is drawn on them, to its pictures, in one pass over the frames."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import BadFrame, Frame, FrameSource, Remark
from vis_pipeline.visualize.contact_sheet import (
    MARGIN,
    MOST_FRAMES,
    SHEET_WIDTH,
    contact_sheet,
    resized,
    sheet_columns,
    spread,
    tile_size,
)
from vis_pipeline.visualize.films import Film, opened_films
from vis_pipeline.visualize.frame_files import make_folder, write_png
from vis_pipeline.visualize.pictures import MP4_AND_SHEET, Form, Pictures, picture_files
from vis_pipeline.visualize.text import can_draw, isolated

_GREY = 48
_MOST_PAIRS = 8


class Artist(Protocol):
    """What is drawn on the frames of one video, which come in order, and below them on its contact sheet.

    A frame's image is uint8 [H, W, 3], BGR, of any size at the frame's aspect ratio; bad frames are grey.
    """

    @property
    def panels(self) -> int:
        """How many pictures of the frame stand side by side in what is drawn."""
        ...

    def on_video(self, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str) -> NDArray[np.uint8]:
        """A frame of a film; those of each size come in order."""
        ...

    def on_tile(self, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str) -> NDArray[np.uint8]:
        """A frame of the contact sheet, where there is less room."""
        ...

    def strip(self, length: int, width: int, marked: Sequence[int], lost: Sequence[int]) -> NDArray[np.uint8]:
        """The whole video of `length` frames over time, `width` pixels: the `marked` are named, the `lost` shown."""
        ...


@dataclass(frozen=True)
class RenderedVideo:
    """Where one video's pictures are, how many frames were drawn and how many of them could not be read.

    `sizes` has width and height in pixels of those whose frames have one.
    """

    files: dict[Form, Path]
    sizes: dict[Form, tuple[int, int]]
    frames: int
    lost: int


def render_video(
    source: FrameSource,
    artist: Artist,
    target: Path,
    expected_length: int,
    pictures: Pictures = MP4_AND_SHEET,
    subtitle: str = "",
    on_frame: Callable[[], None] = lambda: None,
) -> RenderedVideo:
    """Write the pictures of a video, see :func:`vis_pipeline.visualize.pictures.picture_files`.

    `source` may give bad frames: they become grey frames that say why. `expected_length` chooses the sheet's frames
    before the last one is known. `subtitle` goes to the sheet's title line. Without `pictures.frames_per_second` each
    frame is shown when the source shows it, and where the source does not say, ten a second; a video file all of whose
    frames are drawn keeps its sound then.

    Raises:
        DataError: not one frame could be read, none of those chosen is there, the pictures cannot be written, or one of
            them would take the place of the video itself.
    """
    files = picture_files(source, target, pictures)
    (height, width), frames = _frame_size(source)
    sheet = _Sheet(artist, (height, width), pictures.only.of(expected_length)) if Form.SHEET in files else None
    lost: list[int] = []
    count = drawn = 0
    with ExitStack() as stack:
        films = opened_films(stack, source, files, pictures, artist.panels)
        for frame in frames:
            if pictures.only.end is not None and frame.index >= pictures.only.end:
                count = max(count, expected_length)
                break
            count += 1
            if isinstance(frame, BadFrame):
                lost.append(frame.index)
            on_frame()
            if not pictures.only.has(frame.index):
                continue
            image = frame.image if isinstance(frame, Frame) else np.full((height, width, 3), _GREY, dtype=np.uint8)
            _write(films, artist, image, frame)
            if sheet is not None:
                sheet.add(image, frame)
            drawn += 1
        if not drawn:
            raise DataError(
                f"video {source.video_id} ({source.name}): none of its {count} frames is among those chosen"
            )
    if sheet is not None:
        make_folder(target.parent)
        facts = [f"{drawn} frame{'s' if drawn > 1 else ''}", f"{width}x{height}", subtitle]
        title = source.name if can_draw(source.name) else f"video {source.video_id}"
        write_png(files[Form.SHEET], sheet.picture(title, " · ".join(filter(None, facts)), count, lost))
    return RenderedVideo(files, {film.form: film.size for film in films}, drawn, len(lost))


def _write(films: Sequence[Film], artist: Artist, image: NDArray[np.uint8], frame: Frame | BadFrame) -> None:
    """Add a frame to each film; those of one size share what is drawn."""
    made: dict[tuple[int, ...], NDArray[np.uint8]] = {}
    for film in films:
        scaled = film.scaled(image)
        if scaled.shape not in made:
            made[scaled.shape] = artist.on_video(scaled, frame, _caption(frame))
        film.write(made[scaled.shape], frame)


class _Sheet:
    """A contact sheet as it fills."""

    def __init__(self, artist: Artist, size: tuple[int, int], chosen: Sequence[int]) -> None:
        self._artist = artist
        most = MOST_FRAMES if artist.panels == 1 else _MOST_PAIRS
        self._picks = [chosen[place] for place in spread(len(chosen), most)] if chosen else []
        self._columns = sheet_columns(*size, max(len(self._picks), 1), artist.panels)
        self._tile = tile_size(*size, self._columns, panels=artist.panels)
        self._tiles: list[NDArray[np.uint8]] = []

    def add(self, image: NDArray[np.uint8], frame: Frame | BadFrame) -> None:
        if frame.index in self._picks:
            self._tiles.append(self._artist.on_tile(resized(image, *self._tile), frame, _caption(frame)))

    def picture(self, title: str, facts: str, length: int, lost: Sequence[int]) -> NDArray[np.uint8]:
        strip = self._artist.strip(length, SHEET_WIDTH - 2 * MARGIN, self._picks, lost)
        return contact_sheet(title, facts, self._tiles, self._columns, strip)


def _frame_size(source: FrameSource) -> tuple[tuple[int, int], Iterator[Frame | BadFrame]]:
    """Height and width of the first good frame, and all frames from the first on."""
    frames = (frame for frame in source if not isinstance(frame, Remark))
    start: list[Frame | BadFrame] = []
    for frame in frames:
        start.append(frame)
        if isinstance(frame, Frame):
            return (frame.image.shape[0], frame.image.shape[1]), chain(start, frames)
    reason = start[0].reason if start and isinstance(start[0], BadFrame) else "there are none"
    raise DataError(f"video {source.video_id} ({source.name}): not one frame could be read: {reason}")


def _caption(frame: Frame | BadFrame) -> str:
    if isinstance(frame, BadFrame):
        return f"frame {frame.index} could not be read ({isolated(frame.name)})"
    name = PurePosixPath(frame.name).stem
    plain = (name.isdecimal() and int(name) == frame.index) or not can_draw(name)
    return f"frame {frame.index}" if plain else f"frame {frame.index} ({isolated(name)})"
