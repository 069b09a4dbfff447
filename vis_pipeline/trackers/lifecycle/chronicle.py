"""What is written down of a video's tracks: their histories, every decision, and in the end the results."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from vis_pipeline.masks import Rle
from vis_pipeline.structures.tracks import TrackResult
from vis_pipeline.trackers.lifecycle.checkpoint import record_after, replayed
from vis_pipeline.trackers.lifecycle.decision import HIDDEN, Candidates, Decision
from vis_pipeline.trackers.lifecycle.events import Event, EventKind, frame_events
from vis_pipeline.trackers.lifecycle.history import TrackHistory, believed_in_the_end, is_confirmed, reported_masks
from vis_pipeline.trackers.lifecycle.live_tracks import LiveTracks
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.memory import Recalled
from vis_pipeline.trackers.post.duplicates import without_duplicates
from vis_pipeline.trackers.post.scores import track_score, vote_class


class Chronicle:
    """Grows with each frame, and changes nothing that stands in it."""

    def __init__(self, settings: TrackingSettings) -> None:
        self._settings = settings
        self._histories: list[TrackHistory] = []
        self._events: list[Event] = []
        self._last_frame = -1
        self._joined: list[tuple[int, int]] = []
        self._kept_frame = -1
        self._kept_events = 0

    def __getitem__(self, number: int) -> TrackHistory:
        return self._histories[number]

    def begin(self, index: int, count: int) -> tuple[TrackHistory, ...]:
        """Go on to a frame, in which so many tracks begin: their histories."""
        self._last_frame = index
        born = tuple(TrackHistory(len(self._histories) + place) for place in range(count))
        self._histories.extend(born)
        return born

    def log(self, events: Iterable[Event]) -> None:
        """Write down decisions of the last frame."""
        self._events += events

    def note(
        self, index: int, live: LiveTracks, masks: Sequence[Rle], decision: Decision, candidates: Candidates
    ) -> tuple[TrackHistory, ...]:
        """Write down a frame.

        Args:
            index: of the frame.
            live: the N tracks before it.
            masks: those that it shows: of the tracks that show one, and then of those that begin.
            decision, candidates: of the frame.

        Returns:
            The histories of the tracks that begin here.
        """
        born = self.begin(index, len(decision.born))
        seen = np.flatnonzero(decision.shown != HIDDEN)
        owners = [*(live.histories[track] for track in seen), *born]
        for owner, mask in zip(owners, masks, strict=True):
            owner.masks[index] = mask
        matched = decision.assignment
        detected = [*(live.histories[track] for track in matched.tracks), *born]
        sightings = np.concatenate([matched.detections, decision.born])
        agreements = [*decision.agreements.tolist(), *(0.0 for _ in born)]
        labels = candidates.labels.tolist()
        for owner, detection, agreement in zip(detected, sightings.tolist(), agreements, strict=True):
            owner.note_detection(index, labels[detection], float(candidates.detection_scores[detection]), agreement)
        for track in np.intersect1d(matched.free_tracks, seen):
            live.histories[track].predicted_scores[index] = float(candidates.tracking_scores[track])
        numbers = [history.number for history in live.histories]
        begun = [history.number for history in born]
        self.log(frame_events(index, decision, candidates, live.table, numbers, begun))
        return born

    def join(self, known: Recalled) -> TrackHistory:
        """A track goes on as the one that it is known as; the history of both."""
        before, now = self._histories[known.before], self._histories[known.now]
        before.go_on_with(now)
        self._joined.append((known.now, known.before))
        reason = f"track {known.now} goes on as it"
        self.log([Event(self._last_frame, EventKind.RECALLED, known.before, affinity=known.score, reason=reason)])
        return before

    def results(self, video_id: int, length: int, frames: int) -> tuple[TrackResult, ...]:
        """The finished tracks, best first, of a video of `length` frames, `frames` of which were readable."""
        settings, last_frame = self._settings, self._last_frame
        # A video shorter than what confirms a track must not lose all of its tracks.
        needed = min(settings.min_detections, frames)
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

    def events(self) -> tuple[Mapping[str, Any], ...]:
        """Every decision so far, in JSON form."""
        return tuple(event.to_json() for event in self._events)

    def record(self) -> dict[str, Any]:
        """What was written down since the last call, in JSON form."""
        record = record_after(self._kept_frame, self._histories, self._joined, self._events[self._kept_events :])
        self._joined = []
        self._kept_frame, self._kept_events = self._last_frame, len(self._events)
        return record

    def restore(self, records: Iterable[Mapping[str, Any]], last_frame: int) -> None:
        """Go on from all records of another one, the last of which was taken after that frame."""
        self._histories, self._events = replayed(records)
        self._last_frame = self._kept_frame = last_frame
        self._kept_events = len(self._events)

    def _explain_results(self, last_frame: int, kept: list[int], reported: list[int]) -> None:
        for history in self._histories:
            kind, reason = EventKind.DROPPED, "too few detections, or none that is sure"
            if history.number in kept:
                kind, reason = EventKind.REPORTED, f"result {kept.index(history.number)}"
            elif history.number in reported:
                reason = "duplicate of a better track, or one too many"
            self._events.append(Event(last_frame, kind, history.number, reason=reason))
