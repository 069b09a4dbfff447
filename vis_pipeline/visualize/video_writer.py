"""H.264 video files that browsers play."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import put_in_place, unfinished
from vis_pipeline.visualize.frame_times import NOT_YET, next_time
from vis_pipeline.visualize.sound import Sound, open_sound

LONGEST_SIDE = 16_384
"""Pixels; x264 takes no longer sides."""

_BT709 = 1
# MPEG's own clock, fine enough for any rate.
_TICK = Fraction(1, 90_000)


class Mp4Writer:
    """Write BGR frames to an mp4: H.264, yuv420p (BT.709, tagged), index at the front of the file.

    Frames follow each other at `frames_per_second`, but one that is given a time is shown then.

    A context manager. The file appears under its name only when the block ends without an error and at least one frame
    was written. All frames have the first one's size; an odd side is padded by one repeated pixel row or column, as
    yuv420p needs even sides. `crf` is x264's constant quality: 0 is lossless, 51 worst. The sound of the video file
    `sound`, if it has any, goes along; with `sound_to_the_end` all of it, else what is heard while frames are shown.
    With `key_frames` every so many frames one stands by itself, and no frame needs a later one: players find any frame
    at once; without, x264 chooses.

    Raises:
        DataError: nothing, or no more, can be written there.
    """

    def __init__(
        self,
        path: Path,
        frames_per_second: float,
        crf: int = 20,
        sound: Path | None = None,
        sound_to_the_end: bool = True,
        key_frames: int | None = None,
    ) -> None:
        self.path = path
        self.size: tuple[int, int] | None = None
        self._partial = unfinished(path)
        self._rate = Fraction(frames_per_second).limit_denominator(100_000)
        self._shown = NOT_YET
        self._options = {"crf": str(crf), "preset": "fast"}
        if key_frames is not None:
            self._options |= {"g": str(key_frames), "bf": "0"}
        self._sound_file = sound
        self._sound_to_the_end = sound_to_the_end
        self._sound: Sound | None = None
        self._container: Any = None
        self._stream: Any = None

    def __enter__(self) -> "Mp4Writer":
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(self._partial), "w", format="mp4", options={"movflags": "faststart"})
        return self

    def write(self, image: NDArray[np.uint8], time: float | None = None) -> None:
        """Append one frame, uint8 [H, W, 3], BGR, which is shown at a `time` in seconds, later than the one before.

        A time that is not later, and none at all, is one frame interval after the one before.

        Raises:
            DataError: it is larger than H.264 allows.
            ValueError: its size is not the first frame's.
        """
        if max(image.shape[:2]) > LONGEST_SIDE:
            width, height = image.shape[1::-1]
            raise DataError(
                f"video {self.path}: frames of {width}x{height}; H.264 goes to {LONGEST_SIDE} pixels a side"
            )
        if self.size is None:
            self.size = (image.shape[0], image.shape[1])
            self._stream = self._add_stream(*self.size)
            if self._sound_file is not None:
                self._sound = open_sound(self._sound_file, self._container)
        if image.shape[:2] != self.size:
            raise ValueError(f"frame of size {image.shape[:2]} in a video of size {self.size}")
        height, width = self.size
        even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="bgr24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
        frame.time_base, frame.pts = _TICK, self._next_tick(time)
        with self._writing():
            self._container.mux(self._stream.encode(frame))
            if self._sound is not None:
                self._sound.write(float(self._shown))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        finished = kind is None and self._stream is not None
        try:
            with self._writing():
                if finished:
                    self._container.mux(self._stream.encode(None))
                    if self._sound is not None:
                        self._sound.write(None if self._sound_to_the_end else float(self._shown + 1 / self._rate))
                if self._sound is not None:
                    self._sound.close()
                self._container.close()
                if finished:
                    put_in_place(self._partial, self.path)
        finally:
            self._partial.unlink(missing_ok=True)

    def _next_tick(self, time: float | None) -> int:
        """When the next frame is shown, in ticks."""
        self._shown = next_time(self._shown, time, 1 / self._rate)
        return round(self._shown / _TICK)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, av.error.FFmpegError) as error:
            raise DataError(f"video {self.path}: cannot be written ({error.strerror or error})") from error

    def _add_stream(self, height: int, width: int) -> Any:
        stream = self._container.add_stream("libx264", rate=self._rate, options=self._options)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = _TICK
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = int(ColorRange.MPEG)
        return stream
