"""A video that a worker has under way: where an earlier try left it, what is kept of it, and its detections."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from detectors.base import Detector
from detectors.recorded import detections_to_json
from vis_pipeline.data.frames import prefetched
from vis_pipeline.engine import FrameLoop
from vis_pipeline.errors import DataError, UserError
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.runs.journal import Journal, JournalWriter
from vis_pipeline.runs.parallel import VideoTask
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Footage, Frame
from vis_pipeline.structures.tracks import VideoOutcome
from vis_pipeline.trackers.base import Tracker


class VideoUnderWay:
    """Feeds the loop of one video and keeps what is done of it.

    Args:
        task: the video.
        detector, tracker: for its loop.
        detections_folder: where its detections go in the end, as `<video id>.json`; None for nowhere.
        report: told the frames done since the last call.
        checkpoint_every: frames between two checkpoints, at least.

    Attributes:
        loop: of the video; its frames are those of `footage`.
    """

    def __init__(
        self,
        task: VideoTask,
        detector: Detector,
        tracker: Tracker[Any, Any],
        detections_folder: Path | None,
        report: Callable[[int], None],
        checkpoint_every: int,
    ) -> None:
        self._task = task
        self._detections_folder = detections_folder
        self._report = report
        self._every = checkpoint_every
        self._writer: JournalWriter | None = None
        self._unkept = 0
        self._entries: list[dict[str, Any]] = []
        self._kept_entries = 0
        self.loop = FrameLoop(task.video_id, detector, tracker, self._go_on, self._record)

    def footage(self) -> Iterator[Footage]:
        """What is left of the video.

        Raises:
            DataError: a frame cannot be read, or the journal neither read nor written.
        """
        done = 0 if self._task.journal is None else self._take_up(self._task.journal)
        # What is done is decoded once more: a video file opens at its beginning alone, and each frame's time is noted.
        yield from islice(prefetched(self._task.frames), done, None)

    def ended(self, outcome: VideoOutcome | UserError) -> VideoOutcome | UserError:
        """What to say of the video: its outcome, once its detections are written, or why they cannot be."""
        if self._detections_folder is None or isinstance(outcome, UserError):
            return outcome
        try:
            if self._task.journal is not None:
                self._task.journal.require_ours()
            write_text(self._detections_folder / f"{self._task.video_id}.json", json.dumps(self._entries))
        except UserError as error:
            return error
        return outcome

    def _take_up(self, journal: Journal) -> int:
        """Go on from the last checkpoint, if there is one; how much of the footage is done."""
        # Workers on other machines need not see the run's folder.
        if not journal.path.parent.is_dir():
            return 0
        if (earlier := journal.take_up()) is None:
            self._writer = journal.begin()
            return 0
        checkpoint, self._writer = earlier
        try:
            self._entries, records = (
                list(chain.from_iterable(record[part] for record in checkpoint.records))
                for part in ("detections", "loop")
            )
            done = self.loop.restore(replace(checkpoint, records=records))
        except (LookupError, TypeError, ValueError) as error:
            raise DataError(f"{journal.lines}: not what a run keeps there; remove it to have it made again") from error
        self._kept_entries = len(self._entries)
        self._report(done)
        return done

    def _record(self, frame: Frame, detections: Detections) -> None:
        if self._detections_folder is not None:
            self._entries += detections_to_json(frame.video_id, frame.index, detections)

    def _go_on(self, frames: int) -> None:
        self._report(frames)
        self._unkept += frames
        if self._writer is not None and self._unkept >= self._every:
            self._unkept = 0
            checkpoint = self.loop.checkpoint()
            record = {"loop": checkpoint.records, "detections": self._entries[self._kept_entries :]}
            self._kept_entries = len(self._entries)
            self._writer.append(replace(checkpoint, records=[record]))
