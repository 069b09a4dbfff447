"""Frames of one video, read one after another from image files or from a video file."""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any, Final, Literal

import av
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.data.container_ends import cut_short
from vis_pipeline.data.image_files import image_paths, is_image, is_pattern, matching_files
from vis_pipeline.data.limits import NO_LIMITS, Limits
from vis_pipeline.data.live import LIVE_DEFAULTS, LiveFrames, LiveOptions
from vis_pipeline.data.live_address import live_address
from vis_pipeline.data.video_decoding import Damaged, Reach, decoded_frames, lacks_frames, stated_length, video_stream
from vis_pipeline.errors import DataError
from vis_pipeline.files.images import MOST_PIXELS, read_image, read_photograph
from vis_pipeline.files.regular_files import MOST_BYTES, open_regular
from vis_pipeline.structures.frames import BadFrame, Footage, Frame, FrameSource, ReadsAhead, Remark
from vis_pipeline.structures.splits import Video

OnBadFrame = Literal["error", "skip"]

PATIENCE = 600.0
"""Seconds in which a frame comes, or its video is given up."""

# Of FFmpeg's playlists, which could name a pipe, or anything else that is here.
_LISTS = (b"ffconcat", b"#EXTM3U", b"v=0", b"<?xml", b"<MPD", b"[playlist]")
_HEAD = 256
_SPACE = b" \t\r\n\xef\xbb\xbf"
_END: Final = object()
_POLL = 0.1
# Seconds for a thread to leave its file; one that hangs is not waited for.
_FAREWELL = 2.0


@dataclass(frozen=True)
class ImageFrames:
    """Frames from image files, one file a frame.

    `size` is (height, width) in pixels; None takes the first frame's. `read` gives a file's pixels: as they are stored,
    which is what the masks of data sets are drawn on, or upright. `times` says when each is shown.

    Iterating raises DataError, naming video and frame, for a frame that is missing, damaged or of another size; with
    `on_bad_frame="skip"` it gives a :class:`BadFrame` instead.
    """

    video_id: int
    name: str
    paths: Sequence[Path]
    size: tuple[int, int] | None = None
    on_bad_frame: OnBadFrame = "error"
    read: Callable[[Path], NDArray[np.uint8]] = read_image
    times: Sequence[float | None] | None = None

    @property
    def length(self) -> int | None:
        """Number of frames."""
        return len(self.paths)

    def __iter__(self) -> Iterator[Frame | BadFrame]:
        checker = _Checker(self.video_id, self.name, self.on_bad_frame, self.size)
        for index, path in enumerate(self.paths):
            time = None if self.times is None else self.times[index]
            try:
                image = self.read(path)
            except DataError as error:
                yield checker.bad(index, path.name, str(error), time)
            else:
                yield checker.checked(index, path.name, image, time)


@dataclass(frozen=True)
class VideoFrames:
    """Frames decoded from a video file by PyAV, turned and mirrored as the file says.

    Iterating raises DataError for a file that is no video, and for a damaged frame or an early end unless
    `on_bad_frame="skip"`, which gives a :class:`BadFrame` or a :class:`Remark` for it. Pixels that are not square stay
    as they are stored; a remark says so. Beyond the `limits` nothing is read.
    """

    video_id: int
    path: Path
    on_bad_frame: OnBadFrame = "error"
    limits: Limits = NO_LIMITS

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem

    @property
    def length(self) -> int | None:
        """None: what containers declare is not always what they hold."""
        return None

    def declared_length(self) -> int | None:
        """The number of frames that the container states or that its duration and rate give: for progress only.

        Raises:
            DataError: the file is no readable video.
        """
        with closing(self._open()) as container:
            stated = stated_length(container, video_stream(container))
        return min((count for count in (stated, self.limits.frames) if count is not None), default=None)

    def frame_rate(self) -> float | None:
        """Frames a second on average as the container states them, None where it does not.

        Raises:
            DataError: the file is no readable video.
        """
        with closing(self._open()) as container:
            rate = getattr(video_stream(container), "average_rate", None)
            return float(rate) if rate else None

    def __iter__(self) -> Iterator[Footage]:
        checker = _Checker(self.video_id, self.name, self.on_bad_frame, None)
        index, began, left = 0, None, False
        with closing(self._open()) as container:
            stream = video_stream(container)
            stated = stated_length(container, stream)
            reach = Reach(container, stream)
            ratio = getattr(stream, "sample_aspect_ratio", None)
            for decoded in decoded_frames(container, stream):
                began = decoded.time if began is None else began
                passed = None if decoded.time is None or began is None else decoded.time - began
                if self.limits.reached(index, passed):
                    # What is read in part need not hold all that it states.
                    stated, left = None, True
                    break
                reach.note(decoded.time)
                if isinstance(decoded, Damaged):
                    yield checker.bad(index, str(index), decoded.reason, decoded.time)
                else:
                    yield checker.checked(index, str(index), decoded.image, decoded.time)
                index += 1
        if index == 0:
            raise DataError(f"video {self.path}: holds no frames")
        cut = self._cut()
        if ratio not in (None, 0, 1):
            yield Remark(self.video_id, f"its pixels are not square ({ratio}); they are taken as they are stored")
        lacking = lacks_frames(index, stated) and not reach.reaches_the_end()
        if lacking or (cut is not None and not left):
            found = f"of the {stated} frames that it states" if lacking else f"frames, and the file with {cut}"
            ends = f"ends after {index} {found}; was it cut short?"
            if self.on_bad_frame == "error":
                raise DataError(f"video {self.path}: {ends} (--on-bad-frame skip takes what is there)")
            yield Remark(self.video_id, ends)

    def _cut(self) -> str | None:
        try:
            with open_regular(self.path, MOST_BYTES) as file:
                return cut_short(file)
        except OSError as error:
            raise DataError(f"video {self.path}: cannot be read ({error.strerror})") from error

    def _open(self) -> Any:
        try:
            with open_regular(self.path, MOST_BYTES) as file:
                if file.read(_HEAD).lstrip(_SPACE).startswith(_LISTS):
                    raise DataError(f"video {self.path}: a list of other files, which are not opened for it; give them")
            container = av.open(str(self.path))
        except (av.error.FFmpegError, OSError) as error:
            raise DataError(f"video {self.path}: cannot be opened ({error.strerror or error})") from error
        stream = video_stream(container)
        fault = "has no video stream" if stream is None else _size_fault(stream.codec_context)
        if fault is not None:
            container.close()
            raise DataError(f"video {self.path}: {fault}")
        return container


def _size_fault(decoder: Any) -> str | None:
    """Why a stream is not decoded, None where it is. The decoder keeps to the bound for frames that grow on the way."""
    if decoder is None:
        return "is coded in a way that nothing here decodes, or damaged"
    if decoder.width * decoder.height > MOST_PIXELS:
        return f"states frames of {decoder.width}x{decoder.height}; more than {MOST_PIXELS:,} pixels are not read"
    decoder.options = {"max_pixels": str(MOST_PIXELS)}
    return None


def open_frames(
    source: Path | str | int,
    on_bad_frame: OnBadFrame = "error",
    video_id: int = 1,
    limits: Limits = NO_LIMITS,
    live: LiveOptions = LIVE_DEFAULTS,
) -> ImageFrames | VideoFrames | LiveFrames:
    """The frames of one video, wherever they come from.

    That is a video file, a folder of images or a pattern (see :func:`open_recorded`), or a live source (see
    :class:`LiveFrames`): the index of a camera, or an address such as `rtsp://host/path`.

    Raises:
        DataError: see :func:`open_recorded`; there is no such camera, or the address is of another kind.
    """
    if (address := live_address(str(source))) is not None:
        return LiveFrames(video_id, address, limits, live)
    return open_recorded(Path(str(source)), on_bad_frame, video_id, limits)


def open_recorded(
    source: Path, on_bad_frame: OnBadFrame = "error", video_id: int = 1, limits: Limits = NO_LIMITS
) -> ImageFrames | VideoFrames:
    """The frames of one video: a video file, a folder of images, or a pattern such as `frames/*.jpg`.

    Images come in the natural order of their names, upright where they are photographs that say how. A pattern stands
    for images, or for one video file.

    Raises:
        DataError: nothing is there, the folder holds no images, the pattern matches something else, or there is a limit
            in seconds to images, which have no time.
    """
    path = source
    if is_pattern(str(source)):
        paths = matching_files(str(source))
        if all(is_image(found) for found in paths):
            folder = Path(os.path.commonpath([found.parent for found in paths])).resolve()
            return _images(folder.name, paths, on_bad_frame, video_id, limits)
        if len(paths) > 1:
            other = next(found for found in paths if not is_image(found))
            raise DataError(
                f"video {source}: matches {len(paths)} files, and {other} is no image; give images, or one video file"
            )
        path = paths[0]
    if path.is_dir():
        return _images(path.resolve().name, image_paths(path), on_bad_frame, video_id, limits)
    if not path.is_file():
        raise DataError(f"video {source}: no such file or folder")
    return VideoFrames(video_id, path, on_bad_frame, limits)


def _images(name: str, paths: tuple[Path, ...], on_bad_frame: OnBadFrame, video_id: int, limits: Limits) -> ImageFrames:
    if limits.seconds is not None:
        raise DataError(f"video {name}: images have no times for --max-seconds; give --max-frames")
    return ImageFrames(video_id, name, paths[: limits.frames], None, on_bad_frame, read_photograph)


def split_frames(video: Video, frames_dir: Path, on_bad_frame: OnBadFrame = "error") -> ImageFrames:
    """The frames of one video of a split, whose file names are relative to `frames_dir`.

    Raises:
        DataError: `frames_dir` is not a folder, or lacks the whole folder of the video.
    """
    paths = tuple(frames_dir / name for name in video.file_names)
    if not frames_dir.is_dir():
        raise DataError(f"frames {frames_dir}: not a folder")
    # Names come from a file: unlike pathlib's, this answers for those that no file system takes, too.
    if not os.path.isdir(paths[0].parent) and on_bad_frame == "error":  # noqa: PTH112
        raise DataError(
            f"video {video.id} ({video.name}): no folder {paths[0].parent}; "
            "give as frames the folder that the split's file names start from"
        )
    size = (video.height, video.width)
    return ImageFrames(video.id, video.name, paths, size, on_bad_frame, times=video.times)


def extent(source: FrameSource) -> tuple[int, int, int]:
    """Width and height of a video's frames in pixels, and how many there are; a video file is decoded to count them.

    Raises:
        DataError: none of the frames can be read, or the source raises it.
    """
    count, size = 0, None
    for footage in prefetched(source):
        count += not isinstance(footage, Remark)
        if isinstance(footage, Frame):
            height, width = footage.image.shape[:2]
            size = size or (width, height)
            if source.length is not None:
                return *size, source.length
    if size is None:
        raise DataError(f"video {source.video_id} ({source.name}): none of its {count} frames could be read")
    return *size, count


def prefetched(source: FrameSource, depth: int = 4, patience: float = PATIENCE) -> Iterator[Footage]:
    """The frames of a source, decoded up to `depth` frames ahead in a thread; errors come out in their place.

    A source that reads ahead by itself is taken as it is: in a second line a live one's frames would grow old.

    Raises:
        DataError: the next frame has not come after `patience` seconds; the thread is left where it hangs.
    """
    if isinstance(source, ReadsAhead):
        yield from source
        return
    ahead = _Ahead(source, depth)
    taken = 0
    try:
        while True:
            item = ahead.take(patience)
            if item is None:
                raise DataError(
                    f"video {source.video_id} ({source.name}): nothing came of frame {taken} for {patience:g} s; "
                    "its file may be damaged, or lie where nobody answers (--timeout waits longer)"
                )
            if isinstance(item, BaseException):
                raise item
            if item is _END:
                return
            taken += not isinstance(item, Remark)
            yield item
    finally:
        ahead.stop()


class _Ahead:
    """A thread that reads ahead. It does not keep the process from ending, as those of a pool would."""

    def __init__(self, source: FrameSource, depth: int) -> None:
        self._source = source
        self._items: Queue[Any] = Queue(depth)
        self._stopped = Event()
        self._thread = Thread(target=self._read, name="frames", daemon=True)
        self._thread.start()

    def take(self, patience: float) -> Any:
        """The next frame, an error to raise, :data:`_END`, or None if none of them came in time."""
        try:
            return self._items.get(timeout=patience)
        except Empty:
            return None

    def stop(self) -> None:
        """Nothing more is wanted."""
        self._stopped.set()
        self._thread.join(_FAREWELL)

    def _read(self) -> None:
        last: Any = _END
        try:
            with closing(_stoppable(self._source)) as frames:
                for frame in frames:
                    if not self._put(frame):
                        return
        except BaseException as error:  # it is raised where the frames are taken
            last = error
        self._put(last)

    def _put(self, item: Any) -> bool:
        while not self._stopped.is_set():
            with suppress(Full):
                self._items.put(item, timeout=_POLL)
                return True
        return False


def _stoppable(source: FrameSource) -> Generator[Footage, None, None]:
    yield from source


@dataclass
class _Checker:
    """Turns decoded images into frames of one size, and faults into an error or a :class:`BadFrame`."""

    video_id: int
    video_name: str
    on_bad_frame: OnBadFrame
    size: tuple[int, int] | None = field(default=None)

    def checked(self, index: int, name: str, image: NDArray[np.uint8], time: float | None = None) -> Frame | BadFrame:
        height, width = image.shape[:2]
        self.size = self.size or (height, width)
        if (height, width) != self.size:
            return self.bad(index, name, f"is {width}x{height}, expected {self.size[1]}x{self.size[0]}", time)
        return Frame(self.video_id, index, name, image, time)

    def bad(self, index: int, name: str, reason: str, time: float | None = None) -> BadFrame:
        if self.on_bad_frame == "error":
            raise DataError(
                f"video {self.video_id} ({self.video_name}), frame {name}: {reason} "
                "(--on-bad-frame skip goes on without it)"
            )
        return BadFrame(self.video_id, index, name, reason, time)
