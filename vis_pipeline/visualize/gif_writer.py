"""Animated GIFs with one palette that fits the whole video."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import put_in_place, unfinished
from vis_pipeline.visualize.frame_times import NOT_YET, next_time

_TICK = Fraction(1, 100)
# What is shown for less, browsers show for a tenth of a second.
_LEAST_TICKS = 2
_LONGEST_SIDE = 65_535
# An ordered pattern lies still from frame to frame, so that what does not move costs nothing; it is fine here.
_DITHER = "dither=bayer:bayer_scale=5:diff_mode=rectangle"


class GifWriter:
    """Write BGR frames to a GIF that repeats for ever.

    Frames follow each other at `frames_per_second`, but one that is given a time is shown then, to a hundredth of a
    second; a frame less than two hundredths after the one before is left out.

    The palette of at most 256 colours comes of all frames, which wait for it, packed without loss, in a file beside the
    GIF: memory does not grow with their number. A context manager. The file appears under its name only when the block
    ends without an error and at least one frame was written. All frames have the first one's size.

    Raises:
        DataError: nothing, or no more, can be written there.
    """

    def __init__(self, path: Path, frames_per_second: float) -> None:
        self.path = path
        self.size: tuple[int, int] | None = None
        self._interval = Fraction(frames_per_second).limit_denominator(1_000_000) ** -1
        self._partial = unfinished(path)
        self._waiting = unfinished(path.with_suffix(".frames"))
        self._shown = NOT_YET
        self._last_tick: int | None = None
        self._store: Any = None
        self._stream: Any = None
        self._palette: _Filter | None = None

    def __enter__(self) -> "GifWriter":
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._store = av.open(str(self._waiting), "w", format="nut")
        return self

    def write(self, image: NDArray[np.uint8], time: float | None = None) -> None:
        """Append one frame, uint8 [H, W, 3], BGR, which is shown at a `time` in seconds, later than the one before.

        A time that is not later, and none at all, is one frame interval after the one before.

        Raises:
            DataError: it is larger than a GIF can be.
            ValueError: its size is not the first frame's.
        """
        height, width = image.shape[:2]
        if max(height, width) > _LONGEST_SIDE:
            raise DataError(f"gif {self.path}: frames of {width}x{height}; a GIF goes to {_LONGEST_SIDE} pixels a side")
        if self.size is None:
            self.size = (height, width)
            self._stream = self._store.add_stream("ffv1", rate=100)
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "bgr0"
            self._stream.codec_context.time_base = self._stream.time_base = _TICK
            self._palette = _Filter([(width, height)], "palettegen", "stats_mode=full")
        if (height, width) != self.size:
            raise ValueError(f"frame of size {(height, width)} in a GIF of size {self.size}")
        assert self._palette is not None
        tick = self._tick(time)
        if self._last_tick is not None and tick - self._last_tick < _LEAST_TICKS:
            return
        self._last_tick = tick
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24").reformat(format="bgr0")
        frame.time_base, frame.pts = _TICK, tick
        with self._writing():
            self._palette.push(0, frame)
            self._palette.digest()
            self._store.mux(self._stream.encode(frame))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            with self._writing():
                if self._stream is not None:
                    self._store.mux(self._stream.encode(None))
                self._store.close()
                if kind is None and self._stream is not None:
                    self._assemble()
                    put_in_place(self._partial, self.path)
        finally:
            self._waiting.unlink(missing_ok=True)
            self._partial.unlink(missing_ok=True)

    def _assemble(self) -> None:
        """Read the waiting frames and write the GIF in the palette of all."""
        assert self.size is not None and self._palette is not None
        height, width = self.size
        self._palette.push(0, None)
        palette = self._palette.pull()
        mapping = _Filter([(width, height), (palette.width, palette.height)], "paletteuse", _DITHER)
        mapping.push(1, palette)
        mapping.push(1, None)
        last = str(max(round(self._interval / _TICK), _LEAST_TICKS))
        options = {"loop": "0", "final_delay": last}
        with (
            av.open(str(self._waiting), format="nut") as waiting,
            av.open(str(self._partial), "w", format="gif", options=options) as gif,
        ):
            stream = gif.add_stream("gif", rate=100)
            stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
            stream.codec_context.time_base = stream.time_base = _TICK
            begun = None
            for frame in waiting.decode(video=0):
                tick = round(frame.pts * frame.time_base / _TICK)
                begun = tick if begun is None else begun
                mapping.push(0, frame)
                mapped = mapping.pull()
                mapped.time_base, mapped.pts = _TICK, tick - begun
                gif.mux(stream.encode(mapped))
            gif.mux(stream.encode(None))

    def _tick(self, time: float | None) -> int:
        """When the next frame is shown, in hundredths of a second."""
        self._shown = next_time(self._shown, time, self._interval)
        return round(self._shown / _TICK)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, av.error.FFmpegError) as error:
            raise DataError(f"gif {self.path}: cannot be written ({error.strerror or error})") from error


class _Filter:
    """One filter of FFmpeg's, between sources of frames and what comes out."""

    def __init__(self, sizes: list[tuple[int, int]], name: str, options: str) -> None:
        graph = av.filter.Graph()
        self._sources = [
            graph.add_buffer(width=width, height=height, format=form, time_base=_TICK)
            for (width, height), form in zip(sizes, ("bgr0", "bgra"), strict=False)
        ]
        part, self._sink = graph.add(name, options), graph.add("buffersink")
        for place, source in enumerate(self._sources):
            source.link_to(part, 0, place)
        part.link_to(self._sink)
        graph.configure()
        # The graph goes with whoever holds it.
        self._graph = graph

    def push(self, source: int, frame: Any) -> None:
        self._sources[source].push(frame)

    def digest(self) -> None:
        """Take in what was pushed, of which nothing comes out yet: else it would be kept until something is pulled.

        That is what the filter says when it is asked.
        """
        with suppress(av.error.BlockingIOError):
            self._sink.pull()

    def pull(self) -> Any:
        return self._sink.pull()
