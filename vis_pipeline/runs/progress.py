"""What a run tells about its progress, and the bar that shows it."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Protocol

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from vis_pipeline.terminal import Terminal

LINE_SECONDS = 30.0


class ProgressListener(Protocol):
    """Told what happens to the videos of a run, in the driver's process."""

    def start(self, expected: Mapping[int, int | None], already_finished: int) -> None:
        """The videos to come, by id, with their numbers of frames where known; how many an earlier run finished."""
        ...

    def advance(self, video_id: int, frames: int) -> None:
        """So many frames of the video are done; fewer than before where it is begun again."""
        ...

    def finish(self, video_id: int, frames: int) -> None:
        """The video is stored; it had so many frames."""
        ...

    def fail(self, video_id: int, reason: str) -> None:
        """The video is set aside."""
        ...


class ProgressBar:
    """A bar over frames with counts of videos, frames a second and an estimate.

    Where there is no terminal a line for each video that is done, and one every `LINE_SECONDS` while it is not.

    A context manager: the bar is drawn inside. `counted` is what the videos are called together, `titles` what each is
    called, by its id; without, by that id.
    """

    def __init__(
        self,
        console: Terminal | None = None,
        clock: Callable[[], float] = time.monotonic,
        counted: str = "videos",
        titles: Mapping[int, str] | None = None,
    ) -> None:
        self._clock = clock
        self._counted = counted
        self._titles = titles or {}
        self._begun = self._told = clock()
        self._console = console or Terminal(stderr=True, soft_wrap=True)
        self._bar = Progress(
            TextColumn(f"{{task.fields[videos]}} {counted}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.fields[frames]} frames"),
            _SpeedColumn(),
            TimeElapsedColumn(),
            TextColumn("passed,"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=self._console,
            disable=not self._console.is_terminal,
            speed_estimate_period=120,
        )
        self._row = self._bar.add_task("videos", total=None, videos="0/0", frames="?")
        self._expected: dict[int, int | None] = {}
        self._done: dict[int, int] = {}
        self._closed: set[int] = set()

    def __enter__(self) -> "ProgressBar":
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)

    def start(self, expected: Mapping[int, int | None], already_finished: int) -> None:
        """See :class:`ProgressListener`."""
        self._expected = dict(expected)
        self._begun = self._told = self._clock()
        self._done.clear()
        self._closed.clear()
        if already_finished:
            self._console.print(f"{already_finished} {self._counted} were finished by an earlier run")
        self._refresh()

    def advance(self, video_id: int, frames: int) -> None:
        """See :class:`ProgressListener`."""
        self._done[video_id] = frames
        self._refresh()
        if not self._console.is_terminal and self._clock() - self._told >= LINE_SECONDS:
            self._told = self._clock()
            self._console.print(self._line(), markup=False)

    def finish(self, video_id: int, frames: int) -> None:
        """See :class:`ProgressListener`."""
        self._close(video_id, frames)
        if not self._console.is_terminal:
            self._console.print(
                f"{self._videos()} {self._counted}: {self._title(video_id)} done, {frames} frames", markup=False
            )

    def fail(self, video_id: int, reason: str) -> None:
        """See :class:`ProgressListener`."""
        self._close(video_id, self._done.get(video_id, 0))
        aside = f"{self._title(video_id)} set aside: {reason}"
        self._console.print(aside, style="red", markup=False, highlight=False)

    def _close(self, video_id: int, frames: int) -> None:
        self._expected[video_id] = self._done[video_id] = frames
        self._closed.add(video_id)
        self._refresh()

    def _line(self) -> str:
        """Where the run is, for a log: frames, speed, and what is left of it where that is known."""
        done, passed = sum(self._done.values()), self._clock() - self._begun
        speed = done / passed if passed else 0.0
        total = self._total()
        line = (
            f"{self._videos()} {self._counted}, {done}/{'?' if total is None else total} frames, {speed:.1f} frames/s"
        )
        if total is None or not speed:
            return line
        return f"{line}, about {timedelta(seconds=round((total - done) / speed))} left"

    def _total(self) -> int | None:
        """All frames, None where nobody knows."""
        known = [frames for frames in self._expected.values() if frames is not None]
        return sum(known) if len(known) == len(self._expected) else None

    def _title(self, video_id: int) -> str:
        return self._titles.get(video_id, f"video {video_id}")

    def _videos(self) -> str:
        return f"{len(self._closed)}/{len(self._expected)}"

    def _refresh(self) -> None:
        total = self._total()
        self._bar.update(
            self._row,
            completed=sum(self._done.values()),
            total=total,
            videos=self._videos(),
            frames="?" if total is None else total,
        )


class _SpeedColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f} frames/s")
