"""The worker of a run: the models of one process, built once from settings that are small enough to send."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from detectors.base import Detector
from detectors.recorded import RecordedDetections, Recording, detections_to_json
from vis_pipeline.data.frames import prefetched
from vis_pipeline.engine import FrameLoop, Lane, Lockstep
from vis_pipeline.errors import UserError
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.runs.parallel import VideoTask
from vis_pipeline.runs.settings import PipelineSettings
from vis_pipeline.settings.device import torch_device
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import FrameTracks, VideoOutcome
from vis_pipeline.trackers.base import Tracker

Watcher: TypeAlias = Callable[[Frame, FrameTracks], None]
"""Given each readable frame with its tracks."""


@dataclass(frozen=True)
class WorkerFactory:
    """Builds a worker; small and picklable, so that Ray sends this and not the models.

    Attributes:
        settings: of the pipeline.
        split: what is processed; its annotations are not needed and are best left out.
        device: `cpu`, `cuda`, `cuda:1`, ...
        seed: of torch and numpy, for models that draw.
        recording: detections from disk in place of the detector.
        detections_folder: where to write each video's detections as `<video id>.json`, or None.
        watch: given each readable frame with its tracks, in the worker's process.
        lockstep: videos that the worker has under way at a time.
    """

    settings: PipelineSettings
    split: Split
    device: str
    seed: int
    recording: Recording | None = None
    detections_folder: Path | None = None
    watch: Watcher | None = None
    lockstep: int = 1

    def __call__(self) -> "PipelineWorker":
        """Load the models."""
        torch.manual_seed(self.seed)
        np.random.seed(self.seed)
        device = torch_device(self.device)
        detector = self._detector(device)
        tracker = self.settings.tracker.build(self.settings.tracking, device)
        return PipelineWorker(detector, tracker, self.settings.detector.batch_size, self.detections_folder, self.watch)

    def checkpoints(self) -> dict[str, Path]:
        """The weight files that the worker loads, by part.

        Raises:
            WeightsError: one of them is not there.
        """
        detector = None if self.recording is not None else self.settings.detector.weights()
        parts = {"detector": detector, "tracker": self.settings.tracker.weights()}
        return {part: path for part, path in parts.items() if path is not None}

    def _detector(self, device: torch.device) -> Detector:
        chosen = self.settings.detector
        if self.recording is not None:
            limits = chosen.score_threshold, chosen.max_per_frame
            return RecordedDetections(self.recording, *limits, device, videos_in_memory=self.lockstep)
        return chosen.build(self.split.categories, device)


class PipelineWorker:
    """Detector and tracker of one process; a :class:`~vis_pipeline.runs.parallel.Worker`."""

    def __init__(
        self,
        detector: Detector,
        tracker: Tracker[Any, Any],
        batch_size: int,
        detections_folder: Path | None,
        watch: Watcher | None = None,
    ) -> None:
        self._detector = detector
        self._tracker = tracker
        self._batch_size = batch_size
        self._detections_folder = detections_folder
        self._watch = watch
        self._videos: Lockstep[int] = Lockstep(tracker)
        self._entries: dict[int, list[dict[str, Any]]] = {}

    def begin(self, task: VideoTask, report: Callable[[int], None]) -> None:
        """Take up a video beside those under way."""
        entries = self._entries[task.video_id] = []

        def record(frame: Frame, detections: Detections) -> None:
            if self._detections_folder is not None:
                entries.extend(detections_to_json(frame.video_id, frame.index, detections))

        loop = FrameLoop(task.video_id, self._detector, self._tracker, report, record)
        self._videos.begin(Lane(task.video_id, loop, prefetched(task.frames), self._batch_size, self._watch))

    def step(self) -> list[tuple[int, VideoOutcome | UserError]]:
        """Advance all videos by a frame; a video's detections are written before its outcome is returned."""
        return [(video_id, self._with_detections(video_id, outcome)) for video_id, outcome in self._videos.step()]

    def _with_detections(self, video_id: int, outcome: VideoOutcome | UserError) -> VideoOutcome | UserError:
        """The outcome of a video that has ended, or the error that its detections cannot be written."""
        entries = self._entries.pop(video_id)
        if self._detections_folder is None or isinstance(outcome, UserError):
            return outcome
        try:
            write_text(self._detections_folder / f"{video_id}.json", json.dumps(entries))
        except UserError as error:
            return error
        return outcome
