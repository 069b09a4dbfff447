"""The frames of a video for its page: a small mp4, one video frame for each, and a picture of one of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.data.frames import VideoFrames
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import write_bytes
from vis_pipeline.masks import Rle
from vis_pipeline.structures.frames import BadFrame, Frame, FrameSource, Remark
from vis_pipeline.structures.tracks import TrackResult
from vis_pipeline.visualize.video_writer import Mp4Writer

DEFAULT_RATE = 10.0
LONGEST_SIDE = 1280
KEY_FRAMES = 12
_QUALITY = 25
_THUMBNAIL_WIDTH = 240
_THUMBNAIL_QUALITY = 80
_MASK_OPACITY = 0.5
_GREY = 48

_Kind = TypeVar("_Kind", np.uint8, np.float32)


@dataclass(frozen=True)
class Footage:
    """What was written: frames a second of the mp4, its width and height in pixels, the frames that are grey in it."""

    rate: float
    width: int
    height: int
    lost: tuple[int, ...]


def write_footage(
    source: FrameSource,
    length: int,
    size: tuple[int, int],
    mp4: Path,
    picture: Path,
    tracks: Sequence[TrackResult],
    colours: NDArray[np.uint8],
    on_frame: Callable[[], None] = lambda: None,
) -> Footage:
    """Write the plain frames as mp4, `length` of them, at a constant rate, and one with its masks as JPEG.

    `size` is height and width of the frames; above `LONGEST_SIDE` they are made smaller. What cannot be read, and what
    is missing at the end, is grey. `colours` are those of the tracks, uint8 [N, 3], BGR.

    Raises:
        DataError: not one frame could be read, the video itself lies where the mp4 goes, or nothing can be written.
    """
    if isinstance(source, VideoFrames) and mp4.exists() and mp4.samefile(source.path):
        raise DataError(f"video {source.path}: its report would take its place; give another --out")
    scale = min(1.0, LONGEST_SIDE / max(size))
    height, width = (max(1, round(side * scale)) for side in size)
    rate = (source.frame_rate() if isinstance(source, VideoFrames) else None) or DEFAULT_RATE
    telling = _telling_frame(tracks, length)
    grey = np.full((height, width, 3), _GREY, dtype=np.uint8)
    pictured, reason = grey, "there are none"
    lost: list[int] = []
    with Mp4Writer(mp4, rate, crf=_QUALITY, key_frames=KEY_FRAMES) as writer:
        for index, frame in enumerate(_padded(source, length)):
            if isinstance(frame, Frame):
                image = _resized(frame.image, height, width)
                if index <= telling or pictured is grey:
                    pictured = image
            else:
                image, reason = grey, frame.reason if frame is not None and not lost else reason
                lost.append(index)
            writer.write(image)
            on_frame()
        if len(lost) == length:
            raise DataError(f"video {source.video_id} ({source.name}): not one frame could be read: {reason}")
    _write_picture(picture, pictured, [track.segmentations[telling] for track in tracks], colours)
    return Footage(rate, width, height, tuple(lost))


def _padded(source: FrameSource, length: int) -> Iterator[Frame | BadFrame | None]:
    """The first `length` frames of a source; None for those that it does not have."""
    count = 0
    for frame in source:
        if count == length:
            return
        if not isinstance(frame, Remark):
            count += 1
            yield frame
    yield from [None] * (length - count)


def _telling_frame(tracks: Sequence[TrackResult], length: int) -> int:
    """The frame that shows most tracks; of several the one nearest to the middle."""
    shown = np.array([[rle is not None for rle in track.segmentations] for track in tracks], dtype=np.bool_)
    count = shown.reshape(len(tracks), length).sum(axis=0)
    distance = np.abs(np.arange(length) - length / 2)
    return int(np.lexsort((distance, -count))[0])


def _write_picture(
    path: Path, image: NDArray[np.uint8], rles: Sequence[Rle | None], colours: NDArray[np.uint8]
) -> None:
    height, width = image.shape[:2]
    small = _resized(image, max(1, round(height * _THUMBNAIL_WIDTH / width)), _THUMBNAIL_WIDTH)
    for rle, colour in zip(rles, colours, strict=True):
        if rle is not None:
            mask = _resized(masks.decode(rle).astype(np.float32), *small.shape[:2])[..., None] * _MASK_OPACITY
            small = np.rint(small + mask * (colour.astype(np.float32) - small)).astype(np.uint8)
    encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _THUMBNAIL_QUALITY])[1]
    write_bytes(path, encoded.tobytes())


def _resized(image: NDArray[_Kind], height: int, width: int) -> NDArray[_Kind]:
    if image.shape[:2] == (height, width):
        return image
    way = cv2.INTER_AREA if height < image.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=way), dtype=image.dtype)
