"""The sound of a video file, for the file in which its frames are drawn."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

# What an mp4 holds and players take from one; the rest is coded anew.
_COPIED = frozenset({"aac", "mp3", "opus", "flac", "alac", "ac3", "eac3"})
_AAC_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)


class Sound:
    """The sound of a file on its way into an output container, a stretch at a time.

    Of several sound streams it is the default one, else the first. Where the file's sound is damaged it ends.
    """

    def __init__(self, container: Any, heard: Any, target: Any) -> None:
        """Add `heard`, a stream of a file that PyAV has open, to one to which nothing was written; see `open_sound`."""
        self._container = container
        self._target = target
        if heard.codec_context.name in _COPIED:
            self._packets = self._copied(heard, target.add_stream_from_template(heard))
        else:
            rate = min((rate for rate in _AAC_RATES if rate >= heard.rate), default=_AAC_RATES[-1])
            coded = target.add_stream("aac", rate=rate, layout="mono" if heard.layout.nb_channels == 1 else "stereo")
            self._packets = self._coded(heard, coded)
        self._next: Any = None

    def write(self, until: float | None) -> None:
        """Pass on what is heard before a time, in seconds; all of it for None.

        Raises:
            FFmpegError, OSError: it cannot be written.
        """
        while (packet := self._next or next(self._packets, None)) is not None:
            self._next = packet
            if until is not None and packet.pts is not None and packet.pts * packet.time_base >= until:
                return
            self._next = None
            self._target.mux(packet)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _copied(self, heard: Any, copied: Any) -> Iterator[Any]:
        for packet in _until_damaged(self._container.demux(heard)):
            # The last one is empty and only says that there are no more.
            if packet.dts is not None:
                packet.stream = copied
                yield packet

    def _coded(self, heard: Any, coded: Any) -> Iterator[Any]:
        for frame in _until_damaged(self._container.decode(heard)):
            yield from coded.encode(frame)
        yield from coded.encode(None)


def open_sound(source: Path, target: Any) -> Sound | None:
    """The sound of a video file, None where it has none."""
    container = av.open(str(source))
    if (heard := _stream(container)) is not None:
        return Sound(container, heard, target)
    container.close()
    return None


def _stream(container: Any) -> Any | None:
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    return next((stream for stream in streams if stream.disposition & Disposition.default), next(iter(streams), None))


def _until_damaged(items: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from items
    except av.error.FFmpegError:
        return
