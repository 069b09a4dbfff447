"""The worker of a run: the models of one process, built once from settings that are small enough to send."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from detectors.base import Detector
from detectors.recorded import RecordedDetections, Recording
from vis_pipeline.engine import Lane, Lockstep
from vis_pipeline.errors import UserError
from vis_pipeline.runs.parallel import VideoTask
from vis_pipeline.runs.settings import PipelineSettings
from vis_pipeline.runs.under_way import VideoUnderWay
from vis_pipeline.settings.device import torch_device
from vis_pipeline.settings.same_numbers import same_numbers
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import FrameTracks, VideoOutcome
from vis_pipeline.trackers.base import Tracker

Watcher: TypeAlias = Callable[[Frame, FrameTracks], None]
"""Given each readable frame with its tracks."""

CHECKPOINT_FRAMES = 200
"""A checkpoint takes some 50 ms and some MB at 720p: nothing beside the work on so many frames."""


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
        checkpoint_every: frames of a video between two checkpoints, at least.
        deterministic: results do not depend, to the bit, on the number of threads and the size of batches.
    """

    settings: PipelineSettings
    split: Split
    device: str
    seed: int
    recording: Recording | None = None
    detections_folder: Path | None = None
    watch: Watcher | None = None
    lockstep: int = 1
    checkpoint_every: int = CHECKPOINT_FRAMES
    deterministic: bool = False

    def __call__(self) -> "PipelineWorker":
        """Load the models."""
        torch.manual_seed(self.seed)
        np.random.seed(self.seed)
        device = torch_device(self.device)
        detector = self._detector(device)
        tracker = self.settings.tracker.build(self.settings.tracking, device)
        batch_size = self.settings.detector.batch_size
        return PipelineWorker(
            detector,
            tracker,
            batch_size,
            self.detections_folder,
            self.watch,
            self.checkpoint_every,
            partial(same_numbers, device) if self.deterministic else nullcontext,
        )

    def checkpoints(self) -> dict[str, Path]:
        """The weight files that the worker loads, by part.

        Raises:
            WeightsError: one of them is not there.
        """
        tracker = self.settings.tracker
        looks = self.recording is None or tracker.needs_regions
        return {**({"detector": self.settings.detector.weights()} if looks else {}), **tracker.weights()}

    def _detector(self, device: torch.device) -> Detector:
        chosen = self.settings.detector
        if self.recording is None:
            return self.settings.build_detector(self.split.categories, device)
        limits = chosen.score_threshold, chosen.max_per_frame
        recorded = RecordedDetections(self.recording, *limits, device, videos_in_memory=self.lockstep)
        return self.settings.with_regions(recorded, device)


class PipelineWorker:
    """Detector and tracker of one process; a :class:`~vis_pipeline.runs.parallel.Worker`."""

    def __init__(
        self,
        detector: Detector,
        tracker: Tracker[Any, Any],
        batch_size: int,
        detections_folder: Path | None = None,
        watch: Watcher | None = None,
        checkpoint_every: int = CHECKPOINT_FRAMES,
        computing: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self._computing = computing
        self._detector = detector
        self._tracker = tracker
        self._batch_size = batch_size
        self._detections_folder = detections_folder
        self._watch = watch
        self._checkpoint_every = checkpoint_every
        self._together: Lockstep[int] = Lockstep(tracker)
        self._videos: dict[int, VideoUnderWay] = {}

    def begin(self, task: VideoTask, report: Callable[[int], None]) -> None:
        """Take up a video beside those under way, where its journal says that it was left."""
        video = VideoUnderWay(
            task, self._detector, self._tracker, self._detections_folder, report, self._checkpoint_every
        )
        self._videos[task.video_id] = video
        self._together.begin(Lane(task.video_id, video.loop, video.footage(), self._batch_size, self._watch))

    def step(self) -> list[tuple[int, VideoOutcome | UserError]]:
        """Advance all videos by a frame; a video's detections are written before its outcome is returned."""
        with self._computing():
            ended = self._together.step()
        return [(video_id, self._videos.pop(video_id).ended(outcome)) for video_id, outcome in ended]
