"""The life of one video's tracks: what is asked of the propagator, and what its answer and the detections decide."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.masks.boxes import minmax_boxes
from vis_pipeline.masks.rle import encode_windows
from vis_pipeline.structures.checkpoint import Checkpoint
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.structures.tracks import FrameTracks
from vis_pipeline.structures.uploads import uploaded
from vis_pipeline.trackers.base import Finished
from vis_pipeline.trackers.lifecycle.appearance import BINS, blended
from vis_pipeline.trackers.lifecycle.birth_and_death import lost
from vis_pipeline.trackers.lifecycle.chronicle import Chronicle
from vis_pipeline.trackers.lifecycle.decision import HIDDEN, Candidates, Decision, decide
from vis_pipeline.trackers.lifecycle.events import Event, EventKind
from vis_pipeline.trackers.lifecycle.frame_tracks import frame_tracks
from vis_pipeline.trackers.lifecycle.history import TrackHistory
from vis_pipeline.trackers.lifecycle.live_tracks import LiveTracks
from vis_pipeline.trackers.lifecycle.observation import Observation, measure, observe, read_windows
from vis_pipeline.trackers.lifecycle.propagation import Answer, Changes, Needs, Packing, Propagated, StateT
from vis_pipeline.trackers.lifecycle.settings import NextBox, TrackingSettings
from vis_pipeline.trackers.lifecycle.shots import Shots, no_shots, signature
from vis_pipeline.trackers.lifecycle.table import no_tracks
from vis_pipeline.trackers.memory import Remembering, Sighting
from vis_pipeline.trackers.post.scores import vote_class


@dataclass(frozen=True)
class _Proposed:
    """A frame that is still to be decided about."""

    frame: Frame
    image: Tensor
    detections: Detections


class LifecycleSession(Generic[StateT]):
    """The tracks of one video. The propagator's states pass through it; it runs no network itself."""

    def __init__(
        self,
        settings: TrackingSettings,
        packing: Packing[StateT],
        memory: Remembering,
        device: torch.device,
        stopwatch: Stopwatch,
    ) -> None:
        self._settings = settings
        self._packing = packing
        self._memory = memory
        self._device = device
        self._watch = stopwatch.step
        self._proposed: _Proposed | None = None
        self._last_frame = -1
        self._live: LiveTracks | None = None
        self._states: StateT | None = None
        self._changes: Changes | None = None
        self._shots = no_shots()
        self._chronicle = Chronicle(settings)
        self._frames = 0
        self._searches = 0

    def propose(self, frame: Frame, detections: Detections) -> Needs[StateT]:
        """Go on to a frame: all live tracks are to be searched for in it, but for those that are lost."""
        image = frame.on(self._device)
        if self._live is None or self._changes is None:
            self._live, self._changes = self._nobody(image)
        else:
            self._live = self._live.later(frame.index - self._last_frame - 1)
        with self._watch("associate"):
            self._live = self._in_its_shot(frame, self._live)
        self._frames += 1
        self._proposed, self._last_frame = _Proposed(frame, image, detections), frame.index
        present = np.flatnonzero(~self._live.table.lost)
        self._searches += len(present)
        searched = self._on_device(present) if len(present) < len(self._live.table) else None
        known = self._live.table.select(present)
        expected = known.moved_boxes(self._settings.motion.search_momentum)
        questions = self._memory.ask(frame.index, detections, expected, known.detections)
        return Needs(image, self._states, self._changes, searched, questions)

    def commit(self, answer: Answer[StateT]) -> FrameTracks:
        """Decide about the frame proposed for.

        Raises:
            RuntimeError: none was since the last decision.
        """
        proposed, live = self._proposed, self._live
        if proposed is None or live is None:
            raise RuntimeError("commit: there is no frame to decide about; call propose first")
        frame, image, detections = proposed.frame, proposed.image, proposed.detections
        self._proposed = None
        with self._watch("associate"):
            predicted = answer.found
            if live.table.lost.any():
                searched = self._on_device(np.flatnonzero(~live.table.lost))
                predicted = predicted.spread(searched, len(live.table))
            observation = observe(image, detections, predicted)
            shifts = np.rint(live.table.displacements(self._settings.motion.momentum)).astype(np.int64)
            candidates = measure(observation, detections, predicted, live.masks, live.colours, shifts)
            decision = decide(candidates, live.table, self._shots.current, self._settings)
        with self._watch("encode"):
            sources = np.concatenate([decision.shown[decision.shown != HIDDEN], decision.born])
            boxes = candidates.boxes[sources].astype(np.int64)
            windows = read_windows(observation.masks, sources, boxes)
            masks = encode_windows(windows, boxes[:, :2], *frame.image.shape[:2])
            born = self._chronicle.note(frame.index, live, masks, decision, candidates)
            found = observation.colours[: len(detections)]
            live, born, decision = self._remember(answer.recognition, found, live, born, decision, candidates)
            owners = [*live.histories, *born]
            shown = frame_tracks(
                frame,
                decision,
                candidates,
                live.table.moved_boxes(self._settings.motion.search_momentum),
                np.array([owner.number for owner in owners], dtype=np.int64),
                np.array([vote_class(owner.votes) for owner in owners], dtype=np.int64),
                windows,
            )
        with self._watch("propagate"):
            self._states = answer.states
            self._changes = self._changed(image, live, observation, predicted, decision)
            self._live = self._surviving(live, observation, decision)
            if born:
                self._live = self._live.followed_by(self._newborn(observation, decision, born))
        return shown

    def _in_its_shot(self, frame: Frame, live: LiveTracks) -> LiveTracks:
        """The tracks as a frame meets them: at a cut those of other shots are lost, and at once out of sight."""
        settings, before = self._settings, self._shots.current
        needed = set(live.table.shots.tolist())
        self._shots = self._shots.at(signature(frame.image), needed, settings.shots.cut_likeness)
        if self._shots.current == before:
            return live
        after = replace(live.table, lost=lost(live.table, self._shots.current, settings))
        left = [live.histories[track] for track in np.flatnonzero(after.lost & ~live.table.lost)]
        self._chronicle.log(Event(frame.index, EventKind.LOST, track.number, reason="another shot") for track in left)
        for track in left:
            self._memory.leave(track.number, max(track.masks), len(track.labels))
        return replace(live, table=after)

    def _remember(
        self,
        recognition: Tensor,
        colours: Tensor,
        live: LiveTracks,
        born: tuple[TrackHistory, ...],
        decision: Decision,
        candidates: Candidates,
    ) -> tuple[LiveTracks, tuple[TrackHistory, ...], Decision]:
        """Tracks that are known again go on under their old numbers; what is seen and who leaves is remembered."""
        memory, before = self._memory, live.table
        for track in np.flatnonzero(decision.shown != HIDDEN):
            memory.back(live.histories[track].number)
        again = {
            known.now: self._chronicle.join(known)
            for known in memory.recall(recognition, colours, _sightings(live, born, decision))
        }
        numbers = {history.number for history in again.values()}
        gone = [track for track, history in enumerate(live.histories) if history.number in numbers]
        live = replace(live, histories=tuple(again.get(history.number, history) for history in live.histories))
        born = tuple(again.get(history.number, history) for history in born)
        alive = decision.alive.copy()
        alive[gone] = False
        unseen = np.flatnonzero((decision.shown != HIDDEN) & (decision.table.undetected > 0))
        count = len(candidates.detection_scores)
        memory.look(colours, _sightings(live, born, decision), candidates.boxes[count + unseen])
        for track in np.setdiff1d(np.flatnonzero(~decision.alive | (decision.table.lost & ~before.lost)), gone):
            history = live.histories[track]
            memory.leave(history.number, max(history.masks), len(history.labels))
        return live, born, replace(decision, alive=alive)

    def finish(self, video_id: int, length: int) -> Finished:
        """The tracks of the finished video, best first, as settings say."""
        tracks = self._chronicle.results(video_id, length, self._frames)
        return Finished(tracks, self._chronicle.events(), self._searches)

    def checkpoint(self) -> Checkpoint:
        """Where the video stands; before its first readable frame there is nothing to say."""
        if self._live is None or self._changes is None or self._states is None:
            return Checkpoint([], {}, {})
        remembered, views = self._memory.checkpoint()
        facts = {
            "last_frame": self._last_frame,
            "frames": self._frames,
            "searches": self._searches,
            "shot": self._shots.current,
            "live": [history.number for history in self._live.histories],
            "born": self._changes.born,
            "memory": remembered,
        }
        tensors = {
            **_named("live", self._live.to_tensors()),
            **_named("states", self._packing.pack(self._states)),
            **_named("changes", {name: getattr(self._changes, name) for name in _CHANGED}),
            **_named("memory", views),
            **_named("shots", self._shots.to_tensors()),
        }
        return Checkpoint([self._chronicle.record()], facts, tensors)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of such a session, in place of a video's beginning."""
        facts, tensors = checkpoint.facts, checkpoint.tensors
        if not facts:
            return
        self._frames, self._searches, self._last_frame = facts["frames"], facts["searches"], facts["last_frame"]
        self._chronicle.restore(checkpoint.records, self._last_frame)
        self._memory.restore(facts["memory"], _under("memory", tensors))
        self._shots = Shots.from_tensors(facts["shot"], _under("shots", tensors))
        live = [self._chronicle[number] for number in facts["live"]]
        self._live = LiveTracks.from_tensors(_under("live", tensors), live, self._device)
        self._states = self._packing.unpack(self._moved(_under("states", tensors)))
        self._changes = Changes(**self._moved(_under("changes", tensors)), born=facts["born"])

    def _moved(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: tensor.to(self._device) for name, tensor in tensors.items()}

    def _nobody(self, image: Tensor) -> tuple[LiveTracks, Changes]:
        nobody = torch.zeros(0, dtype=torch.int64, device=self._device)
        nowhere = torch.zeros((0, 4), dtype=torch.float64, device=self._device)
        masks = torch.zeros((0, *image.shape[:2]), dtype=torch.bool, device=self._device)
        live = LiveTracks(masks, torch.zeros((0, BINS), device=self._device), (), no_tracks())
        return live, Changes(image, nobody, nowhere, nobody, 0)

    def _on_device(self, values: NDArray[Any]) -> Tensor:
        return uploaded(values, self._device)

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


def _sightings(live: LiveTracks, born: tuple[TrackHistory, ...], decision: Decision) -> list[Sighting]:
    """The tracks that were detected in the frame, those that began in it after the others."""
    matched = decision.assignment
    owners = [*(live.histories[track] for track in matched.tracks), *born]
    found = [*matched.detections.tolist(), *decision.born.tolist()]
    return [
        Sighting(owner.number, detection, len(owner.labels), next(iter(owner.masks)))
        for owner, detection in zip(owners, found, strict=True)
    ]


_CHANGED = ("image", "kept", "boxes", "fresh")


def _named(part: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{part}.{name}": tensor for name, tensor in tensors.items()}


def _under(part: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    names = (name for name in tensors if name.startswith(f"{part}."))
    return {name.removeprefix(f"{part}."): tensors[name] for name in names}
