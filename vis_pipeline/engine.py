"""One video in one process: frames in, tracks out, all objects of a frame in one batch."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from detectors.base import Detections, Detector
from vis_pipeline import masks as rle
from vis_pipeline.boxes import minmax_boxes
from vis_pipeline.data.frames import BadFrame, Frame
from vis_pipeline.data.youtube_vis import TrackResult
from vis_pipeline.propagation import Propagated, Propagator
from vis_pipeline.run_folder import VideoOutcome
from vis_pipeline.tracking import Candidates, Decision, TrackingSettings, decide
from vis_pipeline.tracking.affinity import mask_iou
from vis_pipeline.tracking.frame import HIDDEN
from vis_pipeline.tracking.scoring import track_score, vote_class, without_duplicates

StateT = TypeVar("StateT")


@dataclass
class TrackHistory:
    """All that is kept of a track: its masks as RLE by frame, and the evidence for its class and score."""

    masks: dict[int, rle.Rle] = field(default_factory=dict)
    labels: list[int] = field(default_factory=list)
    detection_scores: list[float] = field(default_factory=list)
    undetected_scores: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class LiveTracks(Generic[StateT]):
    """The N tracks that the next frame is matched with.

    Attributes:
        states: the propagator's states.
        boxes: float64 [N, 4], x, y, w, h in pixels.
        histories: one a track.
        missed: int64 [N], frames in a row hidden.
        undetected: int64 [N], frames in a row without a detection.
    """

    states: StateT
    boxes: Tensor
    histories: tuple[TrackHistory, ...]
    missed: NDArray[np.int64]
    undetected: NDArray[np.int64]


class Stopwatch:
    """Seconds by step; on a CUDA device the steps are as the host sees them."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time of the block to a step."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start


class VideoTracker(Generic[StateT]):
    """Tracks the objects of one video, frame by frame."""

    def __init__(self, propagator: Propagator[StateT], settings: TrackingSettings, device: torch.device) -> None:
        self._propagator = propagator
        self._settings = settings
        self._device = device
        self._live: LiveTracks[StateT] | None = None
        self._histories: list[TrackHistory] = []
        self._frames = 0
        self.stopwatch = Stopwatch()

    def step(self, index: int, image: NDArray[np.uint8], detections: Detections) -> None:
        """Take in frame `index`: its image uint8 [H, W, 3] BGR and its detections, masks of the same size."""
        self._frames += 1
        watch = self.stopwatch.step
        with watch("propagate"):
            on_device = torch.from_numpy(image).to(self._device)
            predicted = self._predict(on_device, image.shape[:2])
        with watch("associate"):
            stacked = torch.cat([detections.masks, predicted.masks])
            decision, scores = self._decide(stacked, detections, predicted)
        with watch("encode"):
            self._record(index, stacked, detections, decision, scores)
        with watch("propagate"):
            self._advance(on_device, stacked, predicted, decision)

    def results(self, video_id: int, length: int) -> tuple[TrackResult, ...]:
        """The tracks of the video so far, best first, as settings say."""
        # A video shorter than what confirms a track must not lose all of its tracks.
        needed = min(self._settings.min_detections, self._frames)
        reported = [track for track in self._histories if len(track.labels) >= needed]
        segmentations = [tuple(track.masks.get(index) for index in range(length)) for track in reported]
        labels = [vote_class(np.asarray(track.labels), np.asarray(track.detection_scores)) for track in reported]
        scores = [
            track_score(
                np.asarray(track.detection_scores), np.asarray(track.undetected_scores), self._settings.missing_score
            )
            for track in reported
        ]
        kept = without_duplicates(segmentations, labels, scores, self._settings.merge_iou, self._settings.max_tracks)
        return tuple(TrackResult(video_id, labels[index], scores[index], segmentations[index]) for index in kept)

    def _predict(self, image: Tensor, size: tuple[int, ...]) -> Propagated:
        if self._live is None or not self._live.histories:
            return Propagated(
                masks=torch.zeros((0, *size), dtype=torch.bool, device=self._device),
                scores=torch.zeros(0, device=self._device),
                boxes=torch.zeros((0, 4), dtype=torch.float64, device=self._device),
            )
        return self._propagator.predict(image, self._live.states)

    def _decide(
        self, stacked: Tensor, detections: Detections, predicted: Propagated
    ) -> tuple[Decision, NDArray[np.float32]]:
        count = len(stacked)
        areas = stacked.flatten(1).sum(1).float()
        scores = torch.cat([detections.scores, predicted.scores.float()])
        # One read-back for all that the decision needs.
        table = torch.cat([mask_iou(stacked, stacked), areas[:, None], scores[:, None]], dim=1).cpu().numpy()
        candidates = Candidates(
            overlaps=table[:, :count],
            areas=table[:, count].astype(np.int64),
            detection_scores=table[: len(detections), count + 1],
            tracking_scores=table[len(detections) :, count + 1],
        )
        none = np.zeros(0, dtype=np.int64)
        missed, undetected = (self._live.missed, self._live.undetected) if self._live else (none, none)
        return decide(candidates, missed, undetected, self._settings), table[:, count + 1]

    def _record(
        self,
        index: int,
        stacked: Tensor,
        detections: Detections,
        decision: Decision,
        scores: NDArray[np.float32],
    ) -> None:
        live = list(self._live.histories) if self._live else []
        born = [TrackHistory() for _ in decision.born]
        self._histories.extend(born)
        seen = np.flatnonzero(decision.shown != HIDDEN)
        sources = np.concatenate([decision.shown[seen], decision.born])
        owners = [live[track] for track in seen] + born
        encoded = rle.encode(stacked[torch.from_numpy(sources).to(stacked.device)].cpu().numpy())
        for owner, mask in zip(owners, encoded, strict=True):
            owner.masks[index] = mask
        labels = detections.labels.tolist()
        matched = zip(decision.assignment.detections.tolist(), decision.assignment.tracks.tolist(), strict=True)
        evidence = [(live[track], detection) for detection, track in matched]
        for owner, detection in [*evidence, *zip(born, decision.born.tolist(), strict=True)]:
            owner.labels.append(labels[detection])
            owner.detection_scores.append(float(scores[detection]))
        for track in np.intersect1d(decision.assignment.free_tracks, seen):
            live[track].undetected_scores.append(float(scores[len(detections) + track]))

    def _advance(self, image: Tensor, stacked: Tensor, predicted: Propagated, decision: Decision) -> None:
        groups = []
        if self._live is not None and decision.alive.any():
            groups.append(self._surviving(self._live, stacked, predicted, decision))
        if len(decision.born):
            groups.append(self._newborn(image, stacked, decision))
        if not groups:
            self._live = None
            return
        self._live = LiveTracks(
            states=self._propagator.concatenate([group.states for group in groups]),
            boxes=torch.cat([group.boxes for group in groups]),
            histories=tuple(history for group in groups for history in group.histories),
            missed=np.concatenate([group.missed for group in groups]),
            undetected=np.concatenate([group.undetected for group in groups]),
        )

    def _surviving(
        self, live: LiveTracks[StateT], stacked: Tensor, predicted: Propagated, decision: Decision
    ) -> LiveTracks[StateT]:
        hidden = torch.from_numpy(decision.shown == HIDDEN).to(self._device)
        detected = torch.from_numpy(decision.undetected == 0).to(self._device)
        own = np.arange(len(decision.shown)) + len(stacked) - len(decision.shown)
        masks = stacked[torch.from_numpy(np.where(decision.shown == HIDDEN, own, decision.shown)).to(self._device)]
        # A detected track's next box is its mask's Min-max box, a followed one's the tracker's smoothed box;
        # a hidden one waits where it was last seen.
        boxes = torch.where(detected[:, None], minmax_boxes(masks), predicted.boxes)
        boxes = torch.where(hidden[:, None], live.boxes, boxes)
        states = self._propagator.advance(live.states, boxes, masks)
        alive = np.flatnonzero(decision.alive)
        indices = torch.from_numpy(alive).to(self._device)
        return LiveTracks(
            states=self._propagator.select(states, indices),
            boxes=boxes[indices],
            histories=tuple(live.histories[track] for track in alive),
            missed=decision.missed[alive],
            undetected=decision.undetected[alive],
        )

    def _newborn(self, image: Tensor, stacked: Tensor, decision: Decision) -> LiveTracks[StateT]:
        masks = stacked[torch.from_numpy(decision.born).to(self._device)]
        boxes = minmax_boxes(masks)
        none = np.zeros(len(decision.born), dtype=np.int64)
        return LiveTracks(
            states=self._propagator.start(image, boxes, masks),
            boxes=boxes,
            histories=tuple(self._histories[len(self._histories) - len(decision.born) :]),
            missed=none,
            undetected=none,
        )


def track_video(
    video_id: int,
    frames: Iterable[Frame | BadFrame],
    detector: Detector,
    tracker: VideoTracker[StateT],
    batch_size: int,
    on_frames: Callable[[int], None],
    on_detections: Callable[[Frame, Detections], None],
) -> VideoOutcome:
    """Detect and track in one video.

    Args:
        video_id: id that the results carry.
        frames: of one size, in order.
        detector: asked for `batch_size` frames at a time.
        tracker: a fresh one.
        batch_size: frames a batch.
        on_frames: told how many frames have just been finished.
        on_detections: given each readable frame with its detections.
    """
    watch = tracker.stopwatch.step
    notes: list[str] = []
    length = height = width = 0
    stream = iter(frames)
    while True:
        with watch("read"):
            batch = list(islice(stream, batch_size))
        if not batch:
            break
        good = [frame for frame in batch if isinstance(frame, Frame)]
        with watch("detect"):
            found = iter(detector.detect(good) if good else [])
        for frame in batch:
            if isinstance(frame, BadFrame):
                notes.append(f"frame {frame.name}: skipped ({frame.reason})")
            else:
                detections = next(found)
                on_detections(frame, detections)
                tracker.step(frame.index, frame.image, detections)
                height, width = frame.image.shape[:2]
        length += len(batch)
        on_frames(len(batch))
    return VideoOutcome(
        tracks=tracker.results(video_id, length),
        length=length,
        height=height,
        width=width,
        seconds=dict(tracker.stopwatch.seconds),
        notes=tuple(notes),
    )
