"""The life of one video's tracks: what is asked of the propagator, and what its answer and the detections decide."""

from dataclasses import dataclass, replace
from typing import Any, Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline import masks as rle
from vis_pipeline.masks.boxes import minmax_boxes
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.structures.tracks import FrameTracks, TrackResult
from vis_pipeline.trackers.base import Finished
from vis_pipeline.trackers.lifecycle.appearance import BINS, blended
from vis_pipeline.trackers.lifecycle.decision import HIDDEN, Candidates, Decision, decide
from vis_pipeline.trackers.lifecycle.events import Event, EventKind, frame_events
from vis_pipeline.trackers.lifecycle.frame_tracks import frame_tracks
from vis_pipeline.trackers.lifecycle.history import TrackHistory, believed_in_the_end, is_confirmed, reported_masks
from vis_pipeline.trackers.lifecycle.observation import Observation, measure, observe
from vis_pipeline.trackers.lifecycle.propagation import Answer, Changes, Needs, Propagated, StateT
from vis_pipeline.trackers.lifecycle.settings import NextBox, TrackingSettings
from vis_pipeline.trackers.lifecycle.table import TrackTable, no_tracks
from vis_pipeline.trackers.post.duplicates import without_duplicates
from vis_pipeline.trackers.post.scores import track_score, vote_class


@dataclass(frozen=True)
class LiveTracks:
    """The N tracks that the next frame is matched with, searched for or lost.

    Attributes:
        masks: bool [N, H, W], each track's last detection.
        colours: float32 [N, B], the colours that it is known by.
        histories: one a track.
        table: what the decisions know of them.
    """

    masks: Tensor
    colours: Tensor
    histories: tuple[TrackHistory, ...]
    table: TrackTable

    def later(self, frames: int) -> "LiveTracks":
        """The same tracks after some frames that could not be read."""
        return replace(self, table=self.table.later(frames)) if frames else self

    def followed_by(self, other: "LiveTracks") -> "LiveTracks":
        """These tracks and, after them, the other ones."""
        return LiveTracks(
            masks=torch.cat([self.masks, other.masks]),
            colours=torch.cat([self.colours, other.colours]),
            histories=self.histories + other.histories,
            table=self.table.followed_by(other.table),
        )


class LifecycleSession(Generic[StateT]):
    """The tracks of one video. The propagator's states pass through it; it runs no network itself."""

    def __init__(self, settings: TrackingSettings, device: torch.device, stopwatch: Stopwatch) -> None:
        self._settings = settings
        self._device = device
        self._watch = stopwatch.step
        self._frame: Frame | None = None
        self._image: Tensor | None = None
        self._live: LiveTracks | None = None
        self._states: StateT | None = None
        self._changes: Changes | None = None
        self._histories: list[TrackHistory] = []
        self._frames = 0
        self._searches = 0
        self._events: list[Event] = []

    def propose(self, frame: Frame) -> Needs[StateT]:
        """Go on to a frame: all live tracks are to be searched for in it, but for those that are lost."""
        image = torch.from_numpy(frame.image).to(self._device)
        if self._frame is None or self._live is None or self._changes is None:
            self._live, self._changes = self._nobody(image)
        else:
            self._live = self._live.later(frame.index - self._frame.index - 1)
        self._frames += 1
        self._frame, self._image = frame, image
        lost = self._live.table.lost
        self._searches += int((~lost).sum())
        return Needs(image, self._states, self._changes, self._on_device(np.flatnonzero(~lost)) if lost.any() else None)

    def commit(self, answer: Answer[StateT], detections: Detections) -> FrameTracks:
        """Decide about the frame proposed for.

        Raises:
            RuntimeError: none was since the last decision.
        """
        frame, image, live = self._frame, self._image, self._live
        if frame is None or image is None or live is None:
            raise RuntimeError("commit: there is no frame to decide about; call propose first")
        self._image = None
        with self._watch("associate"):
            predicted = answer.found
            if live.table.lost.any():
                searched = self._on_device(np.flatnonzero(~live.table.lost))
                predicted = predicted.spread(searched, len(live.table))
            observation = observe(image, detections, predicted)
            shifts = np.rint(live.table.displacements(self._settings.motion.momentum)).astype(np.int64)
            candidates = measure(observation, detections, predicted, live.masks, live.colours, shifts)
            decision = decide(candidates, live.table, self._settings)
        with self._watch("encode"):
            masks = self._to_host(observation, decision)
            born = self._record(frame.index, live, masks, detections, decision, candidates)
            owners = [*live.histories, *born]
            shown = frame_tracks(
                frame,
                decision,
                candidates,
                live.table.moved_boxes(self._settings.motion.search_momentum),
                np.array([owner.number for owner in owners], dtype=np.int64),
                np.array([vote_class(owner.votes) for owner in owners], dtype=np.int64),
                masks,
            )
        with self._watch("propagate"):
            self._states = answer.states
            self._changes = self._changed(image, live, observation, predicted, decision)
            self._live = self._surviving(live, observation, decision)
            if born:
                self._live = self._live.followed_by(self._newborn(observation, decision, born))
        return shown

    def finish(self, video_id: int, length: int) -> Finished:
        """The tracks of the finished video, best first, as settings say."""
        tracks = self._results(video_id, length)
        return Finished(tracks, tuple(event.to_json() for event in self._events), self._searches)

    def _results(self, video_id: int, length: int) -> tuple[TrackResult, ...]:
        settings = self._settings
        last_frame = -1 if self._frame is None else self._frame.index
        # A video shorter than what confirms a track must not lose all of its tracks.
        needed = min(settings.min_detections, self._frames)
        reported = [track for track in self._histories if is_confirmed(track, needed, settings.confirm_score)]
        segmentations, labels, scores = [], [], []
        for track in reported:
            believed = believed_in_the_end(track, last_frame, settings.bridge_iou)
            cut = sorted(track.predicted_scores.keys() - set(believed))
            self._events += [Event(frame, EventKind.CUT, track.number, reason="nothing confirmed it") for frame in cut]
            segmentations.append(reported_masks(track, believed, length))
            detected = np.array(list(track.detection_scores.values()))
            labels.append(vote_class(track.votes))
            guessed = np.array([track.predicted_scores[frame] for frame in believed])
            scores.append(track_score(detected, guessed, settings.missing_score, settings.score_prior))
        kept = without_duplicates(segmentations, labels, scores, settings)
        numbers = [track.number for track in reported]
        self._explain_results(last_frame, [numbers[index] for index in kept], numbers)
        return tuple(TrackResult(video_id, labels[index], scores[index], segmentations[index]) for index in kept)

    def _nobody(self, image: Tensor) -> tuple[LiveTracks, Changes]:
        nobody = torch.zeros(0, dtype=torch.int64, device=self._device)
        nowhere = torch.zeros((0, 4), dtype=torch.float64, device=self._device)
        masks = torch.zeros((0, *image.shape[:2]), dtype=torch.bool, device=self._device)
        live = LiveTracks(masks, torch.zeros((0, BINS), device=self._device), (), no_tracks())
        return live, Changes(image, nobody, nowhere, nobody, 0)

    def _on_device(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self._device)

    def _to_host(self, observation: Observation, decision: Decision) -> NDArray[np.bool_]:
        """The masks that the frame shows, bool [S + B, H, W]: of the S tracks that show one, and of the B births."""
        sources = np.concatenate([decision.shown[decision.shown != HIDDEN], decision.born])
        masks: NDArray[np.bool_] = observation.masks[self._on_device(sources)].cpu().numpy()
        return masks

    def _record(
        self,
        index: int,
        live: LiveTracks,
        masks: NDArray[np.bool_],
        detections: Detections,
        decision: Decision,
        candidates: Candidates,
    ) -> tuple[TrackHistory, ...]:
        """Write the frame into the histories; those of the tracks that begin here."""
        born = tuple(TrackHistory(len(self._histories) + place) for place in range(len(decision.born)))
        self._histories.extend(born)
        seen = np.flatnonzero(decision.shown != HIDDEN)
        owners = [*(live.histories[track] for track in seen), *born]
        for owner, mask in zip(owners, rle.encode(masks), strict=True):
            owner.masks[index] = mask
        matched = decision.assignment
        detected = [*(live.histories[track] for track in matched.tracks), *born]
        sightings = np.concatenate([matched.detections, decision.born])
        agreements = [*decision.agreements.tolist(), *(0.0 for _ in born)]
        labels = detections.labels.tolist()
        for owner, detection, agreement in zip(detected, sightings.tolist(), agreements, strict=True):
            owner.note_detection(index, labels[detection], float(candidates.detection_scores[detection]), agreement)
        for track in np.intersect1d(matched.free_tracks, seen):
            live.histories[track].predicted_scores[index] = float(candidates.tracking_scores[track])
        numbers = [history.number for history in live.histories]
        self._events += frame_events(index, decision, live.table, numbers, [history.number for history in born])
        return born

    def _explain_results(self, last_frame: int, kept: list[int], reported: list[int]) -> None:
        for history in self._histories:
            kind, reason = EventKind.DROPPED, "too few detections, or none that is sure"
            if history.number in kept:
                kind, reason = EventKind.REPORTED, f"result {kept.index(history.number)}"
            elif history.number in reported:
                reason = "duplicate of a better track, or one too many"
            self._events.append(Event(last_frame, kind, history.number, reason=reason))

    def _changed(
        self, image: Tensor, live: LiveTracks, observation: Observation, predicted: Propagated, decision: Decision
    ) -> Changes:
        """Where the tracks are that go on or begin, and whose template is to be cut there."""
        after, tracks = decision.table, decision.assignment.tracks
        # A detected track's next search begins at its mask's Min-max box, a followed one's where the tracker says, and
        # a hidden one's where motion should have carried what was last detected.
        undetected = after.undetected > 0
        waiting = live.table.moved_boxes(self._settings.motion.search_momentum)
        known = self._on_device(np.where(undetected[:, None], waiting, after.boxes))
        followed = undetected & (decision.shown != HIDDEN)
        if self._settings.next_box is NextBox.STAGE_1:
            followed |= ~undetected & ~live.table.lost
        boxes = torch.where(self._on_device(followed)[:, None], predicted.boxes, known)
        every = self._settings.renew_every
        due = tracks[after.detections[tracks] % every == 0] if every else tracks[:0]
        kept, born = np.flatnonzero(decision.alive), len(decision.born)
        # Those due were just detected, so that they go on.
        fresh = np.concatenate([np.searchsorted(kept, due), len(kept) + np.arange(born)])
        on_device = self._on_device(kept)
        begun = minmax_boxes(observation.masks[self._on_device(decision.born)])
        return Changes(image, on_device, torch.cat([boxes[on_device], begun]), self._on_device(fresh), born)

    def _surviving(self, live: LiveTracks, observation: Observation, decision: Decision) -> LiveTracks:
        """The tracks that go on, with what this frame showed of them."""
        owners = self._on_device(decision.assignment.tracks)
        found = self._on_device(decision.assignment.detections)
        colours = blended(live.colours[owners], observation.colours[found], self._settings.colour_rate)
        alive = np.flatnonzero(decision.alive)
        indices = self._on_device(alive)
        return LiveTracks(
            masks=self._latest(live.masks, observation.masks, decision),
            colours=live.colours.index_copy(0, owners, colours)[indices],
            histories=tuple(live.histories[track] for track in alive),
            table=decision.table.select(alive),
        )

    def _latest(self, known: Tensor, seen: Tensor, decision: Decision) -> Tensor:
        """The last detected masks of the tracks that go on, put together without any in between: they are large."""
        matched = decision.assignment
        found = dict(zip(matched.tracks.tolist(), matched.detections.tolist(), strict=True))
        alive = np.flatnonzero(decision.alive).tolist()
        latest = [seen[found[track]] if track in found else known[track] for track in alive]
        return torch.stack(latest) if latest else known[:0]

    def _newborn(self, observation: Observation, decision: Decision, histories: tuple[TrackHistory, ...]) -> LiveTracks:
        born = self._on_device(decision.born)
        return LiveTracks(observation.masks[born], observation.colours[born], histories, decision.newborn)
