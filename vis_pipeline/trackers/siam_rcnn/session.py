"""One video's targets: what is asked in each frame, and what is written down of the answer."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from vis_pipeline.masks import Rle
from vis_pipeline.masks.boxes import minmax_boxes
from vis_pipeline.masks.rle import encode_windows
from vis_pipeline.structures.checkpoint import Checkpoint
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.stopwatch import Stopwatch
from vis_pipeline.structures.tracks import FrameTracks
from vis_pipeline.structures.uploads import uploaded
from vis_pipeline.trackers.base import Finished
from vis_pipeline.trackers.lifecycle.chronicle import Chronicle
from vis_pipeline.trackers.lifecycle.history import TrackHistory
from vis_pipeline.trackers.lifecycle.observation import read_windows
from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.memory import Recalled
from vis_pipeline.trackers.post.scores import vote_class
from vis_pipeline.trackers.siam_rcnn.asked import Answer, Needs
from vis_pipeline.trackers.siam_rcnn.decision import NONE
from vis_pipeline.trackers.siam_rcnn.events import frame_events
from vis_pipeline.trackers.siam_rcnn.frame_tracks import choice_scores, frame_tracks
from vis_pipeline.trackers.siam_rcnn.joining import Join, both, renamed
from vis_pipeline.trackers.siam_rcnn.living import Company, Living, Sight, from_tensors, to_tensors
from vis_pipeline.trackers.siam_rcnn.settings import SelectionSettings


class SiamRcnnSession:
    """The targets of one video; it runs no network itself."""

    def __init__(
        self, selection: SelectionSettings, tracking: TrackingSettings, device: torch.device, stopwatch: Stopwatch
    ) -> None:
        self._selection = selection
        self._device = device
        self._watch = stopwatch.step
        self._chronicle = Chronicle(tracking)
        self._living: tuple[Living, ...] = ()
        self._proposed: Frame | None = None
        self._last_frame = -1
        self._frames = 0
        self._searches = 0

    def propose(self, frame: Frame, detections: Detections) -> Needs:
        """Go on to a frame: all targets are to be looked for. Frames that cannot be read are none to the targets."""
        self._proposed, self._last_frame = frame, frame.index
        self._frames += 1
        self._searches += len(self._living)
        return Needs(frame.on(self._device), detections, self._living)

    def commit(self, answer: Answer) -> FrameTracks:
        """Write down the frame proposed for.

        Raises:
            RuntimeError: none was since the last answer.
        """
        if self._proposed is None:
            raise RuntimeError("commit: there is no frame to decide about; call propose first")
        frame, self._proposed = self._proposed, None
        with self._watch("encode"):
            boxes = minmax_boxes(answer.masks).cpu().numpy().astype(np.int64)
            windows = read_windows(answer.masks, np.arange(len(boxes)), boxes)
            masks = encode_windows(windows, boxes[:, :2], *frame.image.shape[:2])
            born = self._chronicle.begin(frame.index, len(answer.decision.born))
            histories = [*(self._chronicle[one.number] for one in answer.living), *born]
            self._note(frame.index, answer, histories, masks)
            for join in answer.joins:
                self._join(join, histories)
            numbers = np.array([history.number for history in histories], dtype=np.int64)
            labels = np.array([vote_class(history.votes) for history in histories], dtype=np.int64)
            shown = frame_tracks(frame, answer, numbers, labels, boxes, windows)
        self._living = _after_joins(answer, [*_counted(answer), *self._begun(answer, born, frame.image.shape)])
        return shown

    def finish(self, video_id: int, length: int) -> Finished:
        """The tracks of the finished video, best first, as settings say."""
        tracks = self._chronicle.results(video_id, length, self._frames)
        return Finished(tracks, self._chronicle.events(), self._searches)

    def checkpoint(self) -> Checkpoint:
        """Where the video stands; before its first readable frame there is nothing to say."""
        if not self._frames:
            return Checkpoint([], {}, {})
        facts = {
            "last_frame": self._last_frame,
            "frames": self._frames,
            "searches": self._searches,
            "living": len(self._living),
        }
        return Checkpoint([self._chronicle.record()], facts, to_tensors(self._living))

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of such a session, in place of a video's beginning."""
        facts = checkpoint.facts
        if not facts:
            return
        self._frames, self._searches, self._last_frame = facts["frames"], facts["searches"], facts["last_frame"]
        self._chronicle.restore(checkpoint.records, self._last_frame)
        self._living = from_tensors(checkpoint.tensors, facts["living"], self._selection, self._device)

    def _join(self, join: Join, histories: list[TrackHistory]) -> None:
        """Two of the frame's targets and births have one history from now on, that of the earlier one."""
        before, now = sorted([histories[join.target].number, histories[join.row].number])
        kept = self._chronicle.join(Recalled(now, before, join.score))
        histories[join.target] = histories[join.row] = kept

    def _note(self, index: int, answer: Answer, histories: list[TrackHistory], masks: list[Rle]) -> None:
        """Write down what a frame shows of its N targets and B births; `masks` are those that are shown."""
        decision, count = answer.decision, len(answer.living)
        owners = [*decision.shown.tolist(), *range(count, len(histories))]
        detections = [*decision.found[decision.shown].tolist(), *decision.born.tolist()]
        choices = choice_scores(answer)
        for owner, detection, mask in zip(owners, detections, masks, strict=True):
            history = histories[owner]
            history.masks[index] = mask
            if detection == NONE:
                history.predicted_scores[index] = float(choices[owner])
            else:
                agreement = float(decision.overlaps[owner]) if owner < count else 0.0
                label, score = int(answer.labels[detection]), float(answer.scores[detection])
                history.note_detection(index, label, score, agreement)
        numbers = [history.number for history in histories]
        scores = answer.scores.tolist(), choices.tolist()
        self._chronicle.log(frame_events(index, decision, *scores, numbers[:count], numbers[count:]))

    def _begun(self, answer: Answer, born: tuple[TrackHistory, ...], shape: tuple[int, ...]) -> list[Living]:
        """The targets that begin with a frame of height and width."""
        found = []
        seen = zip(answer.living, answer.decision.found.tolist(), strict=True)
        beside = tuple(sorted(one.number for one, detection in seen if detection != NONE))
        for place, history in enumerate(born):
            box = answer.boxes[answer.decision.born[place]]
            template = answer.templates[place]
            target = self._selection.begin(box.tolist(), template, shape[1], shape[0])
            previous = uploaded(box[None], self._device).float()
            sight = Sight(box.copy(), template.looks)
            found.append(Living(history.number, template, target, previous, sight, Company(apart=beside)))
        return found


def _counted(answer: Answer) -> list[Living]:
    """The targets, with what this frame was to them."""
    return [
        one.detected() if detection != NONE else replace(one, undetected=one.undetected + 1)
        for one, detection in zip(answer.living, answer.decision.found.tolist(), strict=True)
    ]


def _after_joins(answer: Answer, living: Sequence[Living]) -> tuple[Living, ...]:
    """Of a frame's targets and births those that go on, as what they go on as."""
    after, names = list(living), {}
    for join in answer.joins:
        first, second = after[join.row], after[join.target]
        after[join.row] = both(first, second)
        names[max(first.number, second.number)] = after[join.row].number
    decision = answer.decision
    over = {*np.flatnonzero(decision.ended | decision.crowded_out).tolist(), *(join.target for join in answer.joins)}
    return tuple(renamed(one, names) for row, one in enumerate(after) if row not in over)
