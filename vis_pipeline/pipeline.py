"""From a config to a working pipeline: typed settings, and the worker that each Ray actor builds once."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass as plain_dataclass
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass

from detectors.base import Detections, Detector
from detectors.class_maps import build_class_map
from detectors.htc import HTCDetector
from detectors.recorded import RecordedDetections, detections_to_json
from vis_pipeline.config import STRICT, find_config, load_config, parse
from vis_pipeline.data.frames import Frame, prefetched
from vis_pipeline.data.youtube_vis import Category, Split
from vis_pipeline.device import torch_device
from vis_pipeline.engine import VideoTracker, track_video
from vis_pipeline.parallel import VideoTask
from vis_pipeline.propagation import NoPrediction, Propagator, SiamMaskPropagator
from vis_pipeline.run_folder import VideoOutcome
from vis_pipeline.siammask.checkpoint import load_siammask
from vis_pipeline.siammask.presets import PRESETS, SiamMaskSettings
from vis_pipeline.siammask.tracker import SiamMaskTracker
from vis_pipeline.tracking import TrackingSettings
from vis_pipeline.weights.registry import resolve
from vis_pipeline.whole_files import write_text


@dataclass(frozen=True, config=STRICT)
class DetectorSettings:
    """The HTC detector.

    Attributes:
        config: mmdet config: a packaged name, a path, or `mmdet::...`.
        checkpoint: weights: a path, `bundled:NAME`, or a published name.
        class_map: `by-name`, `common`, `coco-to-ytvis2019`, `coco-to-ytvis2021`, `everyday-to-ytvis2019`,
            `everyday-to-ytvis2021`, `agnostic`, or a JSON file.
        score_threshold: detections below it are dropped.
        max_per_frame: detections of one frame at most.
        batch_size: frames that go through the network at once.
    """

    config: str
    checkpoint: str
    class_map: str = "by-name"
    score_threshold: float = Field(default=0.05, ge=0, le=1)
    max_per_frame: int = Field(default=50, ge=1)
    batch_size: int = Field(default=4, ge=1)


@dataclass(frozen=True, config=STRICT)
class SiamMaskChoice:
    """The tracker's network and how it is used.

    Attributes:
        checkpoint: weights: a path, `bundled:NAME`, or a published name.
        preset: the release's inference settings.
        stages: 1, or 2 for the cascade of SiamMask multi-object, section 5.
        mask_threshold, penalty_k, window_influence, size_rate, batch: in place of the preset's; see
            :class:`~vis_pipeline.siammask.presets.SiamMaskSettings`.
    """

    checkpoint: str
    preset: Literal["davis", "vot", "vot18"] = "davis"
    stages: Literal[1, 2] = 2
    mask_threshold: float | None = Field(default=None, gt=0, lt=1)
    penalty_k: float | None = Field(default=None, ge=0)
    window_influence: float | None = Field(default=None, ge=0, le=1)
    size_rate: float | None = Field(default=None, ge=0, le=1)
    batch: int | None = Field(default=None, ge=1)

    def settings(self) -> SiamMaskSettings:
        """The preset with what is given here in its place."""
        own = ("mask_threshold", "penalty_k", "window_influence", "size_rate", "batch")
        given = {name: value for name in own if (value := getattr(self, name)) is not None}
        return replace(PRESETS[self.preset], stages=self.stages, **given)


@dataclass(frozen=True, config=STRICT)
class PipelineSettings:
    """A whole pipeline; `siammask` None links detections by masks, place and colours alone."""

    detector: DetectorSettings
    siammask: SiamMaskChoice | None
    tracking: TrackingSettings = field(default_factory=TrackingSettings)


def load_pipeline(name: str, options: Sequence[str] = ()) -> PipelineSettings:
    """Read a pipeline config.

    Raises:
        ConfigError: the config cannot be found, read, or understood; or a part that it names cannot be found.
    """
    settings = parse(PipelineSettings, load_config(name, options), f"config {name}")
    if not settings.detector.config.startswith("mmdet::"):
        find_config(settings.detector.config)
    return settings


def with_absolute_paths(settings: PipelineSettings) -> PipelineSettings:
    """The same settings for a process that runs in another folder: whatever is a file here is named in full."""
    detector = replace(
        settings.detector,
        config=absolute_reference(settings.detector.config),
        checkpoint=absolute_reference(settings.detector.checkpoint),
        class_map=absolute_reference(settings.detector.class_map),
    )
    siammask = settings.siammask and replace(
        settings.siammask, checkpoint=absolute_reference(settings.siammask.checkpoint)
    )
    return replace(settings, detector=detector, siammask=siammask)


def absolute_reference(reference: str) -> str:
    """A file that is here by its whole path, for a process that runs in another folder; any other name as it is."""
    path = Path(reference)
    return str(path.resolve()) if path.is_file() else reference


def build_detector(settings: DetectorSettings, categories: Sequence[Category], device: torch.device) -> HTCDetector:
    """The detector of a pipeline, for a split with these categories.

    Raises:
        ConfigError: its config or class map cannot be used.
        WeightsError: its weights are missing or do not fit.
    """
    return HTCDetector.from_config(
        settings.config,
        resolve(settings.checkpoint),
        lambda classes: build_class_map(classes, categories, settings.class_map),
        score_threshold=settings.score_threshold,
        max_per_frame=settings.max_per_frame,
        device=device,
    )


@plain_dataclass(frozen=True)
class RecordedSource:
    """Detections to read from a file in place of a detector; see `detectors.recorded`."""

    path: Path
    class_map: str | None


def with_absolute_recording(source: RecordedSource) -> RecordedSource:
    """The same recording for a process that runs in another folder."""
    class_map = source.class_map and absolute_reference(source.class_map)
    return RecordedSource(source.path.resolve(), class_map)


@plain_dataclass(frozen=True)
class WorkerFactory:
    """Builds a worker; small and picklable, so that Ray sends this and not the models.

    Attributes:
        settings: of the pipeline.
        split: what is processed; its annotations are not needed and are best left out.
        device: `cpu`, `cuda`, `cuda:1`, ...
        seed: of torch and numpy, for models that draw.
        recorded: detections from disk in place of the detector.
        detections_folder: where to write each video's detections as `<video id>.json`, or None.
    """

    settings: PipelineSettings
    split: Split
    device: str
    seed: int
    recorded: RecordedSource | None = None
    detections_folder: Path | None = None

    def __call__(self) -> "PipelineWorker":
        """Load the models."""
        torch.manual_seed(self.seed)
        np.random.seed(self.seed)
        device = torch_device(self.device)
        detector, propagator = self._detector(device), self._propagator(device)
        return PipelineWorker(
            detector,
            lambda: VideoTracker(propagator, self.settings.tracking, device),
            self.settings.detector.batch_size,
            self.detections_folder,
        )

    def checkpoints(self) -> dict[str, Path]:
        """The weight files that the worker loads, by part.

        Raises:
            WeightsError: one of them is not there.
        """
        references = {}
        if self.recorded is None:
            references["detector"] = self.settings.detector.checkpoint
        if self.settings.siammask is not None:
            references["siammask"] = self.settings.siammask.checkpoint
        return {part: resolve(reference) for part, reference in references.items()}

    def _detector(self, device: torch.device) -> Detector:
        chosen = self.settings.detector
        if self.recorded is not None:
            return RecordedDetections(
                self.recorded.path,
                self.split,
                self.recorded.class_map,
                chosen.score_threshold,
                chosen.max_per_frame,
                device,
            )
        return build_detector(chosen, self.split.categories, device)

    def _propagator(self, device: torch.device) -> Propagator[Any]:
        chosen = self.settings.siammask
        if chosen is None:
            return NoPrediction()
        network = load_siammask(resolve(chosen.checkpoint), device)
        return SiamMaskPropagator(SiamMaskTracker(network, chosen.settings(), device))


class PipelineWorker:
    """Detector and propagator of one process, used for one video after another."""

    def __init__(
        self,
        detector: Detector,
        new_tracker: Callable[[], VideoTracker[Any]],
        batch_size: int,
        detections_folder: Path | None,
    ) -> None:
        self._detector = detector
        self._new_tracker = new_tracker
        self._batch_size = batch_size
        self._detections_folder = detections_folder

    def process(self, task: VideoTask, report: Callable[[int], None]) -> VideoOutcome:
        """Track one video; its detections are written before the outcome is returned, where a folder is set."""
        entries: list[dict[str, Any]] = []

        def record(frame: Frame, detections: Detections) -> None:
            if self._detections_folder is not None:
                entries.extend(detections_to_json(frame.video_id, frame.index, detections))

        outcome = track_video(
            task.video_id,
            prefetched(task.frames),
            self._detector,
            self._new_tracker(),
            self._batch_size,
            on_frames=report,
            on_detections=record,
        )
        if self._detections_folder is not None:
            write_text(self._detections_folder / f"{task.video_id}.json", json.dumps(entries))
        return outcome
