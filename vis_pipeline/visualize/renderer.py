"""From a video's frames, and what is drawn on them, to an mp4 and a contact sheet, in one pass over the frames."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.data.frames import VideoFrames
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import write_bytes
from vis_pipeline.structures.frames import BadFrame, Frame, FrameSource, Remark
from vis_pipeline.visualize.contact_sheet import (
    MARGIN,
    SHEET_WIDTH,
    contact_sheet,
    resized,
    sheet_columns,
    spread,
    tile_size,
)
from vis_pipeline.visualize.overlay import enlarged
from vis_pipeline.visualize.text import can_draw, isolated
from vis_pipeline.visualize.video_writer import LONGEST_SIDE, Mp4Writer

DEFAULT_RATE = 10.0

_GREY = 48


class Artist(Protocol):
    """What is drawn on the frames of one video, which come in order, and below them on its contact sheet.

    A frame's image is uint8 [H, W, 3], BGR, of any size at the frame's aspect ratio; bad frames are grey.
    """

    def on_video(self, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str) -> NDArray[np.uint8]:
        """A frame of the mp4."""
        ...

    def on_tile(self, image: NDArray[np.uint8], frame: Frame | BadFrame, caption: str) -> NDArray[np.uint8]:
        """A frame of the contact sheet, where there is less room."""
        ...

    def strip(self, length: int, width: int, marked: Sequence[int], lost: Sequence[int]) -> NDArray[np.uint8]:
        """The whole video of `length` frames over time, `width` pixels: the `marked` are named, the `lost` shown."""
        ...


@dataclass(frozen=True)
class RenderedVideo:
    """Where one video's pictures are, how many frames were drawn and how many of them could not be read."""

    mp4: Path
    sheet: Path
    frames: int
    lost: int


def render_video(
    source: FrameSource,
    artist: Artist,
    target: Path,
    frames_per_second: float | None,
    expected_length: int,
    subtitle: str = "",
    on_frame: Callable[[], None] = lambda: None,
) -> RenderedVideo:
    """Write `<target>.mp4` and the contact sheet `<target>.png`.

    `source` may give bad frames: they become grey frames that say why. `expected_length` chooses the sheet's frames
    before the last one is known. `subtitle` goes to the sheet's title line. With `frames_per_second` None each frame is
    shown when the source shows it, and where the source does not say, `DEFAULT_RATE` a second; a video file keeps its
    sound then.

    Raises:
        DataError: not one frame could be read, the pictures cannot be written, or one of them would take the place of
            the video itself.
    """
    mp4, sheet = picture_files(source, target)
    (height, width), frames = _frame_size(source)
    picks = spread(expected_length)
    columns = sheet_columns(height, width, len(picks))
    tile_height, tile_width = tile_size(height, width, columns)
    tiles: list[NDArray[np.uint8]] = []
    lost: list[int] = []
    count = 0
    in_its_time = frames_per_second is None
    rate, sound, whole = frames_per_second or DEFAULT_RATE, None, True
    if isinstance(source, VideoFrames) and in_its_time:
        rate, sound, whole = source.frame_rate() or DEFAULT_RATE, source.path, not source.limits
    with Mp4Writer(mp4, rate, sound=sound, sound_to_the_end=whole) as writer:
        for frame in frames:
            if isinstance(frame, BadFrame):
                lost.append(frame.index)
            image = frame.image if isinstance(frame, Frame) else np.full((height, width, 3), _GREY, dtype=np.uint8)
            caption = _caption(frame)
            writer.write(artist.on_video(_for_video(image), frame, caption), frame.time if in_its_time else None)
            if frame.index in picks:
                tiles.append(artist.on_tile(resized(image, tile_height, tile_width), frame, caption))
            count += 1
            on_frame()
    strip = artist.strip(count, SHEET_WIDTH - 2 * MARGIN, picks, lost)
    facts = " · ".join(filter(None, [f"{count} frame{'s' if count > 1 else ''}", f"{width}x{height}", subtitle]))
    title = source.name if can_draw(source.name) else f"video {source.video_id}"
    write_png(sheet, contact_sheet(title, facts, tiles, columns, strip))
    return RenderedVideo(mp4, sheet, count, len(lost))


def picture_files(source: FrameSource, target: Path) -> tuple[Path, Path]:
    """Where a video's mp4 and contact sheet go.

    Raises:
        DataError: the video itself lies there.
    """
    mp4, sheet = (target.with_name(target.name + suffix) for suffix in (".mp4", ".png"))
    if isinstance(source, VideoFrames) and mp4.exists() and mp4.samefile(source.path):
        raise DataError(f"video {source.path}: its pictures would take its place; give another --out")
    return mp4, sheet


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write uint8 [H, W, 3] BGR as PNG, whole or not at all.

    Raises:
        DataError: nothing can be written there.
    """
    encoded = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1]
    write_bytes(path, encoded.tobytes())


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


def _for_video(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image [H, W, 3] large enough to be drawn on, small enough to be encoded."""
    height, width = image.shape[:2]
    if (longest := max(height, width)) <= LONGEST_SIDE:
        return enlarged(image)
    return resized(image, *(max(1, side * LONGEST_SIDE // longest) for side in (height, width)))


def _caption(frame: Frame | BadFrame) -> str:
    if isinstance(frame, BadFrame):
        return f"frame {frame.index} could not be read ({isolated(frame.name)})"
    name = PurePosixPath(frame.name).stem
    plain = (name.isdecimal() and int(name) == frame.index) or not can_draw(name)
    return f"frame {frame.index}" if plain else f"frame {frame.index} ({isolated(name)})"
