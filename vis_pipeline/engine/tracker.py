"""One video in one process: frames in, tracks out, all objects of a frame in one batch."""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline import masks as rle
from vis_pipeline.engine.stopwatch import Stopwatch
from vis_pipeline.masks.boxes import minmax_boxes
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.tracks import FrameTracks, TrackResult
from vis_pipeline.trackers.base import Propagated, Propagator
from vis_pipeline.trackers.lifecycle import Candidates, Decision, TrackingSettings, decide
from vis_pipeline.trackers.lifecycle.appearance import BINS, blended
from vis_pipeline.trackers.lifecycle.decision import HIDDEN
from vis_pipeline.trackers.lifecycle.events import Event, EventKind, frame_events
from vis_pipeline.trackers.lifecycle.frame_tracks import frame_tracks
from vis_pipeline.trackers.lifecycle.history import TrackHistory, believed_in_the_end, is_confirmed, reported_masks
from vis_pipeline.trackers.lifecycle.observation import Observation, measure, observe
from vis_pipeline.trackers.lifecycle.settings import NextBox
from vis_pipeline.trackers.lifecycle.table import TrackTable, no_tracks
from vis_pipeline.trackers.post import track_score, vote_class, without_duplicates

StateT = TypeVar("StateT")


@dataclass(frozen=True)
class LiveTracks(Generic[StateT]):
    """The N tracks that the next frame is matched with, searched for or lost.

    Attributes:
        states: the propagator's states.
        masks: bool [N, H, W], each track's last detection.
        colours: float32 [N, B], the colours that it is known by.
        histories: one a track.
        table: what the decisions know of them.
    """

    states: StateT
    masks: Tensor
    colours: Tensor
    histories: tuple[TrackHistory, ...]
    table: TrackTable

    def later(self, frames: int) -> "LiveTracks[StateT]":
        """The same tracks after some frames that could not be read."""
        return replace(self, table=self.table.later(frames)) if frames else self


class VideoTracker(Generic[StateT]):
    """Tracks the objects of one video, frame by frame.

    Attributes:
        stopwatch: seconds by step.
        searches: tracks that the propagator was asked for, summed over the frames.
        events: every decision so far.
    """

    def __init__(self, propagator: Propagator[StateT], settings: TrackingSettings, device: torch.device) -> None:
        self._propagator = propagator
        self._settings = settings
        self._device = device
        self._live: LiveTracks[StateT] | None = None
        self._histories: list[TrackHistory] = []
        self._frames = 0
        self._last_frame = -1
        self.stopwatch = Stopwatch()
        self.searches = 0
        self.events: list[Event] = []

    def step(self, frame: Frame, detections: Detections) -> FrameTracks:
        """Take in a frame and its detections, whose masks are of its size."""
        self._frames += 1
        unread = frame.index - self._last_frame - 1 if self._live is not None else 0
        self._last_frame = frame.index
        watch = self.stopwatch.step
        with watch("propagate"):
            on_device = torch.from_numpy(frame.image).to(self._device)
            live = self._nobody(on_device) if self._live is None else self._live.later(unread)
            predicted = self._search(on_device, live)
        with watch("associate"):
            observation = observe(on_device, detections, predicted)
            shifts = np.rint(live.table.displacements(self._settings.motion.momentum)).astype(np.int64)
            candidates = measure(observation, detections, predicted, live.masks, live.colours, shifts)
            decision = decide(candidates, live.table, self._settings)
        with watch("encode"):
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
        with watch("propagate"):
            self._live = self._surviving(on_device, live, observation, predicted, decision)
            if born:
                self._live = self._joined(self._live, self._newborn(on_device, observation, decision, born))
        return shown

    def results(self, video_id: int, length: int) -> tuple[TrackResult, ...]:
        """The tracks of the finished video, best first, as settings say."""
        settings = self._settings
        # A video shorter than what confirms a track must not lose all of its tracks.
        needed = min(settings.min_detections, self._frames)
        reported = [track for track in self._histories if is_confirmed(track, needed, settings.confirm_score)]
        segmentations, labels, scores = [], [], []
        for track in reported:
            believed = believed_in_the_end(track, self._last_frame, settings.bridge_iou)
            cut = sorted(track.predicted_scores.keys() - set(believed))
            self.events += [Event(frame, EventKind.CUT, track.number, reason="nothing confirmed it") for frame in cut]
            segmentations.append(reported_masks(track, believed, length))
            detected = np.array(list(track.detection_scores.values()))
            labels.append(vote_class(track.votes))
            guessed = np.array([track.predicted_scores[frame] for frame in believed])
            scores.append(track_score(detected, guessed, settings.missing_score, settings.score_prior))
        kept = without_duplicates(segmentations, labels, scores, settings)
        self._explain_results([reported[index].number for index in kept], [track.number for track in reported])
        return tuple(TrackResult(video_id, labels[index], scores[index], segmentations[index]) for index in kept)

    def _nobody(self, image: Tensor) -> LiveTracks[StateT]:
        nowhere = torch.zeros((0, 4), dtype=torch.float64, device=self._device)
        masks = torch.zeros((0, *image.shape[:2]), dtype=torch.bool, device=self._device)
        states = self._propagator.start(image, nowhere)
        return LiveTracks(states, masks, torch.zeros((0, BINS), device=self._device), (), no_tracks())

    def _search(self, image: Tensor, live: LiveTracks[StateT]) -> Propagated:
        """Predictions for all live tracks; those that are lost cost nothing and get empty masks."""
        searched = np.flatnonzero(~live.table.lost)
        self.searches += len(searched)
        if len(searched) == len(live.table):
            return self._propagator.predict(image, live.states)
        indices = torch.from_numpy(searched).to(self._device)
        found = self._propagator.predict(image, self._propagator.select(live.states, indices))
        return found.spread(indices, len(live.table))

    def _to_host(self, observation: Observation, decision: Decision) -> NDArray[np.bool_]:
        """The masks that the frame shows, bool [S + B, H, W]: of the S tracks that show one, and of the B births."""
        sources = np.concatenate([decision.shown[decision.shown != HIDDEN], decision.born])
        masks: NDArray[np.bool_] = observation.masks[torch.from_numpy(sources).to(self._device)].cpu().numpy()
        return masks

    def _record(
        self,
        index: int,
        live: LiveTracks[StateT],
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
        self.events += frame_events(index, decision, live.table, numbers, [history.number for history in born])
        return born

    def _explain_results(self, kept: list[int], reported: list[int]) -> None:
        for history in self._histories:
            kind, reason = EventKind.DROPPED, "too few detections, or none that is sure"
            if history.number in kept:
                kind, reason = EventKind.REPORTED, f"result {kept.index(history.number)}"
            elif history.number in reported:
                reason = "duplicate of a better track, or one too many"
            self.events.append(Event(self._last_frame, kind, history.number, reason=reason))

    def _surviving(
        self,
        image: Tensor,
        live: LiveTracks[StateT],
        observation: Observation,
        predicted: Propagated,
        decision: Decision,
    ) -> LiveTracks[StateT]:
        """The tracks that go on, with what this frame showed of them."""
        after, tracks = decision.table, decision.assignment.tracks
        owners = torch.from_numpy(tracks).to(self._device)
        found = torch.from_numpy(decision.assignment.detections).to(self._device)
        colours = blended(live.colours[owners], observation.colours[found], self._settings.colour_rate)
        # A detected track's next search begins at its mask's Min-max box, a followed one's where the tracker says, and
        # a hidden one's where motion should have carried what was last detected.
        undetected = after.undetected > 0
        waiting = live.table.moved_boxes(self._settings.motion.search_momentum)
        known = torch.from_numpy(np.where(undetected[:, None], waiting, after.boxes)).to(self._device)
        followed = undetected & (decision.shown != HIDDEN)
        if self._settings.next_box is NextBox.STAGE_1:
            followed |= ~undetected & ~live.table.lost
        boxes = torch.where(torch.from_numpy(followed).to(self._device)[:, None], predicted.boxes, known)
        every = self._settings.renew_every
        due = tracks[after.detections[tracks] % every == 0] if every else tracks[:0]
        states = self._propagator.advance(image, live.states, boxes, torch.from_numpy(due).to(self._device))
        alive = np.flatnonzero(decision.alive)
        indices = torch.from_numpy(alive).to(self._device)
        return LiveTracks(
            states=self._propagator.select(states, indices),
            masks=live.masks.index_copy(0, owners, observation.masks[found])[indices],
            colours=live.colours.index_copy(0, owners, colours)[indices],
            histories=tuple(live.histories[track] for track in alive),
            table=after.select(alive),
        )

    def _newborn(
        self, image: Tensor, observation: Observation, decision: Decision, histories: tuple[TrackHistory, ...]
    ) -> LiveTracks[StateT]:
        born = torch.from_numpy(decision.born).to(self._device)
        masks = observation.masks[born]
        states = self._propagator.start(image, minmax_boxes(masks))
        return LiveTracks(states, masks, observation.colours[born], histories, decision.newborn)

    def _joined(self, first: LiveTracks[StateT], second: LiveTracks[StateT]) -> LiveTracks[StateT]:
        return LiveTracks(
            states=self._propagator.concatenate([first.states, second.states]),
            masks=torch.cat([first.masks, second.masks]),
            colours=torch.cat([first.colours, second.colours]),
            histories=first.histories + second.histories,
            table=first.table.followed_by(second.table),
        )
