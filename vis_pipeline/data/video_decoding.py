"""Decoding of one video file: which stream counts, which frames are damaged, when each is shown, and what is up."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.stream import Disposition
from numpy.typing import NDArray

from vis_pipeline.data.decoder_words import heard

_MOST_LACKING = 0.05
# In a row, of the container itself: where it fails on and on it does not move.
_MOST_FAILURES = 100


@dataclass(frozen=True)
class Decoded:
    """A frame: uint8 [H, W, 3] BGR, upright, and when it is shown, in seconds, where the file says so."""

    image: NDArray[np.uint8]
    time: float | None


@dataclass(frozen=True)
class Damaged:
    """A frame that is there but cannot be decoded; why, in a line, and when it would be shown."""

    reason: str
    time: float | None


def video_stream(container: Any) -> Any | None:
    """The stream that is the video: not cover art or a thumbnail; of several the default one, else the first."""
    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    return next((stream for stream in moving if stream.disposition & Disposition.default), next(iter(moving), None))


def stated_length(container: Any, stream: Any) -> int | None:
    """The number of frames that the file states, or that its duration and rate give; of both the lower.

    A file that was trimmed without coding it anew holds more frames than it shows, and only its duration tells.
    """
    counts = [int(stream.frames)] if stream.frames else []
    seconds = _stated_seconds(container, stream)
    if seconds and stream.average_rate:
        counts.append(int(seconds * float(stream.average_rate) + 0.5))
    return min(counts, default=None)


def lacks_frames(found: int, stated: int | None) -> bool:
    """Whether a file holds clearly fewer frames than it states; rounding and a lost last frame are no sign of that."""
    return stated is not None and stated - found > max(1.0, _MOST_LACKING * stated)


class Reach:
    """How far the frames of a file go in time, which tells of one with an uneven rate whether its end is there.

    Such a file need not have the frames that its duration and its nominal rate give.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        self._end = None if stream.frames else _stated_seconds(container, stream)
        self._last: float | None = None
        self._longest = 0.0

    def note(self, time: float | None) -> None:
        """A frame is shown at this time, in seconds."""
        if time is not None:
            self._longest = max(self._longest, time - self._last if self._last is not None else 0.0)
            self._last = time

    def reaches_the_end(self) -> bool:
        """Whether the last frame lasts to the stated end; False where the file counts its frames or has no times."""
        if self._end is None or self._last is None:
            return False
        return self._last + self._longest >= (1 - _MOST_LACKING) * self._end


def _stated_seconds(container: Any, stream: Any) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def decoded_frames(container: Any, stream: Any) -> Iterator[Decoded | Damaged]:
    """The frames in the order in which they are shown.

    Frames come out of a decoder in that order, but a packet fails when it is read, which for frames that need later
    ones is before its turn. So a failure waits until frames that are shown after it come out.
    """
    waiting: list[tuple[float, int, Damaged]] = []
    for number, found in enumerate(_as_decoded(container, stream)):
        if isinstance(found, Damaged) and found.time is not None:
            heapq.heappush(waiting, (found.time, number, found))
            continue
        while waiting and found.time is not None and waiting[0][0] < found.time:
            yield heapq.heappop(waiting)[2]
        yield found
    while waiting:
        yield heapq.heappop(waiting)[2]


def upright(image: NDArray[np.uint8], matrix: NDArray[np.integer]) -> NDArray[np.uint8]:
    """An image turned and mirrored as a display matrix says.

    Args:
        image: [H, W, 3].
        matrix: [3, 3], FFmpeg's form: the stored pixel (x, y) is shown at (a x + c y, b x + d y), where a, b stand in
            the first row and c, d in the second. A slanted one is taken for the nearest right angle.
    """
    (a, b), (c, d) = matrix[:2, :2].tolist()
    if abs(a) + abs(d) < abs(b) + abs(c):
        image, across, down = image.transpose(1, 0, 2), c, b
    else:
        across, down = a, d
    return np.ascontiguousarray(image[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])


def bgr_image(frame: Any) -> NDArray[np.uint8]:
    """A decoded frame of PyAV as uint8 [H, W, 3] BGR, turned and mirrored as it says."""
    image: NDArray[np.uint8] = frame.to_ndarray(format="bgr24")
    matrix = frame.side_data.get(SideData.DISPLAYMATRIX)
    return image if matrix is None else upright(image, np.frombuffer(bytes(matrix), dtype=np.int32).reshape(3, 3))


def _as_decoded(container: Any, stream: Any) -> Iterator[Decoded | Damaged]:
    packets = container.demux(stream)
    concealed: dict[int | None, str] = {}
    failures = 0
    while failures < _MOST_FAILURES:
        packet = None
        try:
            packet = next(packets, None)
            if packet is None:
                return
            failures = 0
            with heard() as said:
                frames = packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError as error:
            failures += packet is None
            yield Damaged(f"cannot be decoded ({error.strerror})", _time(packet))
            continue
        if said:
            # A decoder holds frames back: what it says now is of this packet's frame, not of those that it gives now.
            concealed[packet.pts] = said[0]
        for frame in frames:
            words = concealed.pop(frame.pts, None)
            if words is not None or packet.is_corrupt or frame.is_corrupt:
                yield Damaged("damaged in the file" + (f" ({words})" if words else ""), frame.time)
            else:
                yield Decoded(bgr_image(frame), frame.time)


def _time(packet: Any) -> float | None:
    if packet is None or packet.pts is None or packet.time_base is None:
        return None
    return float(packet.pts * packet.time_base)
