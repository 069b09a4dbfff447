"""The worker of a run: the models of one process, built once from settings that are small enough to send."""

import json
from collections.abc import Callable
from dataclasses import dataclass as plain_dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from detectors.base import Detector
from detectors.recorded import RecordedDetections, Recording, detections_to_json
from vis_pipeline.data.frames import prefetched
from vis_pipeline.engine import FrameLoop
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


@plain_dataclass(frozen=True)
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
    """

    settings: PipelineSettings
    split: Split
    device: str
    seed: int
    recording: Recording | None = None
    detections_folder: Path | None = None
    watch: Watcher | None = None

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
            return RecordedDetections(self.recording, chosen.score_threshold, chosen.max_per_frame, device)
        return chosen.build(self.split.categories, device)


class PipelineWorker:
    """Detector and tracker of one process, used for one video after another."""

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

    def process(self, task: VideoTask, report: Callable[[int], None]) -> VideoOutcome:
        """Track one video; its detections are written before the outcome is returned, where a folder is set."""
        entries: list[dict[str, Any]] = []
        seen: list[Frame] = []

        def record(frame: Frame, detections: Detections) -> None:
            seen[:] = [frame]
            if self._detections_folder is not None:
                entries.extend(detections_to_json(frame.video_id, frame.index, detections))

        loop = FrameLoop(task.video_id, self._detector, self._tracker, report, record)
        for tracks in loop.over(prefetched(task.frames), self._batch_size):
            if self._watch is not None:
                self._watch(seen[0], tracks)
        outcome = loop.finish()
        if self._detections_folder is not None:
            write_text(self._detections_folder / f"{task.video_id}.json", json.dumps(entries))
        return outcome
