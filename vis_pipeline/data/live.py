"""Frames of a live source, a camera or a stream, read in a thread as they come."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from math import inf
from threading import Thread
from typing import Any

import av

from vis_pipeline.data.frame_queue import FrameQueue, Keep, TimedImage
from vis_pipeline.data.limits import NO_LIMITS, Limits
from vis_pipeline.data.live_address import LiveAddress
from vis_pipeline.data.video_decoding import bgr_image, video_stream
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import Footage, Frame, ReadsAhead, Remark

# Formats without a clock, for which FFmpeg makes up times at 25 frames a second.
_WITHOUT_TIMES = frozenset({"mpjpeg", "mjpeg", "jpeg_pipe", "png_pipe", "image2pipe", "h264", "hevc"})
_DEPTH = 8
_LONGEST_PAUSE = 30.0
# A connection that held so long was a good one: the next break may be tried as often as the first.
_STEADY = 60.0
# Seconds by which a clock may run ahead of what has just come; more is a leap of a clock that was set.
_MOST_AHEAD = 10.0
_POLL = 0.1


@dataclass(frozen=True)
class LiveOptions:
    """How a live source is read.

    Attributes:
        keep: with frames faster than they are worked on, `latest` drops the oldest of the eight that wait, and `all`
            makes the source wait.
        reconnect: tries to connect again after a break, each after a longer pause (1, 2, 4, ... up to 30 s).
        timeout: seconds without a frame that are a break.
    """

    keep: Keep = "latest"
    reconnect: int = 5
    timeout: float = 10.0


LIVE_DEFAULTS = LiveOptions()


class LiveFrames(ReadsAhead):
    """Frames of a camera or a stream, until it ends, `stop` is called, or a limit is reached.

    A frame's time is in seconds from the first frame, by the source's own clock where it has one, else by its arrival;
    after a break it goes on by arrival. Damaged frames and those of another size than the first are left out, and so
    are, with `keep="latest"`, those for which there was no time: the frames that are given are numbered without gaps,
    and remarks say what is missing. An address that states how long it is, such as an mp4 on a server, is a
    recording: nothing of it is dropped, and its end is the end.

    Iterating raises DataError where the source cannot be opened or gives no frame at all.
    """

    length: int | None = None

    def __init__(
        self,
        video_id: int,
        address: LiveAddress,
        limits: Limits = NO_LIMITS,
        options: LiveOptions = LIVE_DEFAULTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.video_id = video_id
        self.name = address.name
        self.address = address
        self.limits = limits
        self._options = options
        self._clock = clock
        self._stopped = False

    def stop(self) -> None:
        """End the frames soon, from any thread or a signal's handler."""
        self._stopped = True

    def __iter__(self) -> Iterator[Footage]:
        queue = FrameQueue(_DEPTH, lambda: self._stopped)
        reader = _Reader(self.address, self.limits.seconds, self._options, self._clock, queue)
        thread = Thread(target=reader.read, name="live", daemon=True)
        thread.start()
        count = 0
        try:
            while not self.limits.reached(count, None) and (item := queue.take()) is not None:
                if isinstance(item, str):
                    yield Remark(self.video_id, item)
                else:
                    yield Frame(self.video_id, count, str(count), item.image, item.time)
                    count += 1
        finally:
            queue.close()
            # At worst it waits for the network, and ends with that or with the process.
            thread.join(1.0)
        if count == 0:
            raise DataError(
                f"video {self.address.shown}: {'stopped' if self._stopped else 'ended'} before its first frame"
            )
        for words in reader.left_out():
            yield Remark(self.video_id, words)


class _Reader:
    """The thread's side: connects, decodes, and connects again."""

    def __init__(
        self,
        address: LiveAddress,
        seconds: float | None,
        options: LiveOptions,
        clock: Callable[[], float],
        queue: FrameQueue,
    ) -> None:
        self._address = address
        self._limits = Limits(seconds=seconds)
        self._options = options
        self._clock = clock
        self._queue = queue
        self._times = SourceTime(clock)
        self._size: tuple[int, int] | None = None
        self._damaged = self._odd = 0

    def read(self) -> None:
        """Fill the queue until the end, whatever it is, and close it."""
        try:
            self._connect_again_and_again()
        except BaseException as error:
            # It is raised where the frames are taken.
            self._queue.close(error)
        else:
            self._queue.close()

    def left_out(self) -> Iterator[str]:
        """What is to be said of the frames that nobody got."""
        if self._queue.dropped:
            yield f"{self._queue.dropped} frames were dropped to keep up with it (--live all makes it wait)"
        if self._damaged:
            yield f"{self._damaged} damaged frames were left out"
        if self._odd:
            yield f"{self._odd} frames of another size than the first were left out"

    def _connect_again_and_again(self) -> None:
        tries, waited, began = 0, 0.0, self._clock()
        container = self._opened()
        while True:
            began = self._clock()
            with closing(container):
                ended = self._read_connection(container)
            if ended is None:
                return
            if self._clock() - began >= _STEADY:
                tries, waited = 0, 0.0
            container = None
            while container is None:
                if tries == self._options.reconnect:
                    self._queue.tell(_given_up(ended, tries, waited))
                    return
                pause = min(2.0**tries, _LONGEST_PAUSE)
                tries, waited = tries + 1, waited + pause
                if not self._pause(pause):
                    return
                with suppress(DataError):
                    container = self._opened()
            self._times.broken()
            self._queue.tell(f"the connection broke ({ended}); it is back at try {tries} of {self._options.reconnect}")

    def _opened(self) -> Any:
        given = self._options.timeout
        try:
            container = av.open(
                self._address.location,
                format=self._address.container,
                # RTSP over TCP where the server can: over UDP lost packets are damaged frames.
                options={"rtsp_flags": "prefer_tcp"} if self._address.location.lower().startswith("rtsp") else {},
                timeout=(given, given),
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise DataError(f"video {self._address.shown}: cannot be opened ({_why(error, given)})") from error
        if video_stream(container) is None:
            container.close()
            raise DataError(f"video {self._address.shown}: has no video stream")
        return container

    def _read_connection(self, container: Any) -> str | None:
        """Pass the frames on; why the connection ended, None where nothing more is to be read."""
        stream = video_stream(container)
        recording = bool(container.duration)
        keep: Keep = "all" if recording else self._options.keep
        has_clock = container.format.name not in _WITHOUT_TIMES
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError) as error:
                return _why(error, self._options.timeout)
            if packet is None:
                return None if recording else "the source ended it"
            for frame in self._decoded(packet):
                taken = self._times.of(frame.time if has_clock else None, inf if recording else _MOST_AHEAD)
                if self._limits.reached(0, taken):
                    return None
                image = bgr_image(frame)
                self._size = self._size or image.shape[:2]
                if image.shape[:2] != self._size:
                    self._odd += 1
                elif not self._queue.put(TimedImage(image, taken), keep):
                    return None
            if self._queue.is_over():
                return None

    def _decoded(self, packet: Any) -> list[Any]:
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            # The first ones of a stream that is joined in its middle, or one of which a part was lost.
            self._damaged += 1
            return []
        whole = [frame for frame in frames if not (packet.is_corrupt or frame.is_corrupt)]
        self._damaged += len(frames) - len(whole)
        return whole

    def _pause(self, seconds: float) -> bool:
        """Wait before the next try; False where there shall be none."""
        until = self._clock() + seconds
        while self._clock() < until:
            if self._queue.is_over() or self._limits.reached(0, self._times.now()):
                return False
            time.sleep(_POLL)
        return True


class SourceTime:
    """Seconds since the first frame of a live source, by its clock within a connection, across breaks by ours."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began: float | None = None
        self._ahead: float | None = None
        self._last: float | None = None

    def now(self) -> float | None:
        """Seconds since the arrival of the first frame; None before it."""
        return None if self._began is None else self._clock() - self._began

    def of(self, stated: float | None, most_ahead: float = _MOST_AHEAD) -> float:
        """When the frame was taken that has just come and that the source says is of this time, if it says so."""
        now = self._clock()
        self._began = now if self._began is None else self._began
        arrived = now - self._began
        if stated is None:
            self._last = arrived
            return arrived
        if self._ahead is None or not self._goes_on(stated - self._ahead, arrived + most_ahead):
            self._ahead = stated - arrived
        self._last = stated - self._ahead
        return self._last

    def _goes_on(self, next_one: float, latest: float) -> bool:
        """Whether a time follows the last one, rather than those of a clock that was set back or forth."""
        return (self._last is None or next_one > self._last) and next_one <= latest

    def broken(self) -> None:
        """The connection is a new one, whose clock may have begun anew."""
        self._ahead = None


def _why(error: Exception, timeout: float) -> str:
    if isinstance(error, av.error.ExitError):
        return f"nothing came for {timeout:g} s"
    return str(getattr(error, "strerror", None) or error)


def _given_up(ended: str, tries: int, waited: float) -> str:
    if not tries:
        return f"the connection broke ({ended}); --reconnect says how often to try again"
    return f"the connection broke ({ended}) and did not come back: {tries} tries in {waited:g} s (--reconnect)"
