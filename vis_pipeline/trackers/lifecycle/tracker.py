"""Tracking by propagation: SiamMask or nothing predicts, the Hungarian algorithm matches, tracks are born and die."""

from collections.abc import Sequence
from typing import Generic

import torch

from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.trackers.lifecycle.propagation import Answer, Needs, Propagator, StateT
from vis_pipeline.trackers.lifecycle.session import LifecycleSession
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.memory import Memory, MemorySettings, NoMemory, Recogniser, Unasked


class LifecycleTracker(Generic[StateT]):
    """A propagator for the tracks of all sessions, whose lives are decided by the same settings.

    With `memory` each session remembers its tracks, and `recogniser` knows them again; detections then come with
    regions.
    """

    def __init__(
        self,
        propagator: Propagator[StateT],
        settings: TrackingSettings,
        device: torch.device,
        memory: MemorySettings | None = None,
        recogniser: Recogniser | None = None,
    ) -> None:
        self._propagator = propagator
        self._memory = memory
        self._recogniser = recogniser or Unasked()
        self._settings = settings
        self._device = device

    def open(self, stopwatch: Stopwatch) -> LifecycleSession[StateT]:
        """Begin a video."""
        memory = NoMemory(self._device) if self._memory is None else Memory(self._memory, self._device)
        return LifecycleSession(self._settings, self._propagator, memory, self._device, stopwatch)

    def answer(self, needs: Sequence[Needs[StateT]]) -> list[Answer[StateT]]:
        """Cut the templates that the last frames asked for, then search this one for the tracks: a batch each."""
        propagator = self._propagator
        changes = [need.changes for need in needs]
        started = propagator.start([(change.image, change.boxes[change.fresh]) for change in changes])
        states = [self._changed(*pair) for pair in zip(needs, started, strict=True)]
        searched = [
            group if need.searched is None else propagator.select(group, need.searched)
            for need, group in zip(needs, states, strict=True)
        ]
        found = propagator.predict([(need.image, group) for need, group in zip(needs, searched, strict=True)])
        recognition = self._recogniser.scores([need.questions for need in needs])
        return [Answer(*parts) for parts in zip(states, found, recognition, strict=True)]

    def _changed(self, needs: Needs[StateT], started: StateT) -> StateT:
        """The states of all tracks of a session, once what the last frame changed is done."""
        if needs.states is None:
            return started
        propagator, changes = self._propagator, needs.changes
        older, renewed = len(changes.boxes) - changes.born, len(changes.fresh) - changes.born
        begun = torch.arange(len(changes.fresh), device=self._device)
        states = propagator.select(needs.states, changes.kept)
        if renewed:
            states = propagator.replace(states, changes.fresh[:renewed], propagator.select(started, begun[:renewed]))
        states = propagator.move(states, changes.boxes[:older])
        if changes.born:
            states = propagator.concatenate([states, propagator.select(started, begun[renewed:])])
        return states
