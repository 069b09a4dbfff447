"""The engine on made videos: a scripted detector, and propagators that need no weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from whole_videos import track_video

from vis_pipeline import masks
from vis_pipeline.engine import FrameLoop
from vis_pipeline.masks.boxes import minmax_boxes
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import BadFrame, Frame
from vis_pipeline.structures.tracks import FrameTracks, MaskState, TrackResult
from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.propagation import Propagated, Propagator
from vis_pipeline.trackers.lifecycle.settings import BeliefSettings, MotionSettings, NextBox
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker
from vis_pipeline.visualize.provenance import predicted_frames

HEIGHT, WIDTH = 20, 60
CPU = torch.device("cpu")
Box = tuple[int, int, int, int]


def filled(box: Box) -> NDArray[np.bool_]:
    x, y, w, h = box
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[y : y + h, x : x + w] = True
    return mask


class ScriptedDetector:
    """Detects the boxes that the script gives for a frame: (box, score, label)."""

    def __init__(self, script: Sequence[Sequence[tuple[Box, float, int]]]) -> None:
        self.script = script
        self.batches: list[list[int]] = []

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.batches.append([frame.index for frame in frames])
        return [self._one(self.script[frame.index]) for frame in frames]

    def _one(self, entries: Sequence[tuple[Box, float, int]]) -> Detections:
        if not entries:
            return Detections.none(HEIGHT, WIDTH)
        stack = torch.from_numpy(np.stack([filled(box) for box, _, _ in entries]))
        corners = torch.tensor([[x, y, x + w, y + h] for (x, y, w, h), _, _ in entries], dtype=torch.float32)
        scores = torch.tensor([score for _, score, _ in entries])
        return Detections(corners, scores, torch.tensor([label for _, _, label in entries]), stack)


@dataclass(frozen=True)
class Remembered:
    """Masks [N, H, W] of boxes."""

    masks: Tensor


class Drift:
    """Predicts that every box moves three pixels to the right, and is sure of it while it is in the frame.

    Notes how many tracks it was asked for in each frame, how many templates were cut before that, and where the
    searches for tracks that went on begin.
    """

    def __init__(self, score: float = 0.8) -> None:
        self.score = score
        self.asked: list[int] = []
        self.started: list[int] = []
        self.begun: list[list[float]] = []

    def start(self, groups: Sequence[tuple[Tensor, Tensor]]) -> list[Remembered]:
        self.started.append(sum(len(boxes) for _, boxes in groups))
        return [self._filled(boxes) for _, boxes in groups]

    def predict(self, groups: Sequence[tuple[Tensor, Remembered]]) -> list[Propagated]:
        self.asked.append(sum(len(states.masks) for _, states in groups))
        return [self._moved(states) for _, states in groups]

    def move(self, states: Remembered, boxes: Tensor) -> Remembered:
        self.begun += [[round(side) for side in box] for box in boxes.tolist()]
        return self._filled(boxes)

    def replace(self, states: Remembered, indices: Tensor, others: Remembered) -> Remembered:
        return Remembered(states.masks.index_copy(0, indices, others.masks))

    def _filled(self, boxes: Tensor) -> Remembered:
        stack = [filled(tuple(int(side) for side in box)) for box in boxes.tolist()]
        return Remembered(torch.from_numpy(np.array(stack, dtype=bool).reshape(-1, HEIGHT, WIDTH)))

    def _moved(self, states: Remembered) -> Propagated:
        moved = torch.zeros_like(states.masks)
        moved[:, :, 3:] = states.masks[:, :, :-3]
        inside = moved.flatten(1).any(1).float()
        boxes = minmax_boxes(moved)
        return Propagated(moved, self.score * inside, boxes, boxes)

    def select(self, states: Remembered, indices: Tensor) -> Remembered:
        return Remembered(states.masks[indices])

    def concatenate(self, states: Sequence[Remembered]) -> Remembered:
        return Remembered(torch.cat([s.masks for s in states]))

    def pack(self, states: Remembered) -> dict[str, Tensor]:
        return {"masks": states.masks}

    def unpack(self, tensors: Mapping[str, Tensor]) -> Remembered:
        return Remembered(tensors["masks"])


def video(length: int) -> list[Frame | BadFrame]:
    return [Frame(7, index, f"{index:05}.jpg", np.zeros((HEIGHT, WIDTH, 3), np.uint8)) for index in range(length)]


def run(
    detector: ScriptedDetector,
    propagator: Propagator[Any],
    settings: TrackingSettings,
    frames: Sequence[Frame | BadFrame] | None = None,
    batch_size: int = 3,
) -> tuple[TrackResult, ...]:
    tracked = track_video(
        7,
        video(len(detector.script)) if frames is None else frames,
        detector,
        LifecycleTracker(propagator, settings, CPU),
        batch_size,
    )
    return tracked.tracks


def shown(track: TrackResult) -> list[Box | None]:
    boxes = [None if rle is None else masks.bounding_boxes([rle])[0].astype(int) for rle in track.segmentations]
    return [None if box is None else tuple(box.tolist()) for box in boxes]


def test_a_track_bridges_missed_detections_on_its_predictions() -> None:
    path = [(3 * index, 4, 10, 8) for index in range(6)]
    detector = ScriptedDetector([[] if index in (2, 3) else [(path[index], 0.9, 5)] for index in range(6)])
    (track,) = run(detector, Drift(), TrackingSettings())
    assert shown(track) == path
    assert (track.video_id, track.category_id) == (7, 5)
    assert track.score == pytest.approx(4 * 0.9 / (4 + 2))
    assert detector.batches == [[0, 1, 2], [3, 4, 5]]


def test_without_propagation_the_missed_frames_are_null_and_the_identity_lasts() -> None:
    slow = [(index, 4, 10, 8) for index in range(6)]
    detector = ScriptedDetector([[] if index in (2, 3) else [(slow[index], 0.9, 5)] for index in range(6)])
    (track,) = run(detector, NoPrediction(), TrackingSettings())
    assert shown(track) == [box if index not in (2, 3) else None for index, box in enumerate(slow)]


def test_one_leaves_another_enters_and_both_are_full_length() -> None:
    settings = TrackingSettings(min_detections=2)
    script = [[((0, 0, 8, 8), 0.9, 1)]] * 2 + [[((40, 10, 8, 8), 0.8, 2)]] * 3
    second, first = run(ScriptedDetector(script), NoPrediction(), settings)
    assert shown(first) == [(0, 0, 8, 8)] * 2 + [None] * 3
    assert shown(second) == [None] * 2 + [(40, 10, 8, 8)] * 3
    assert [first.category_id, second.category_id] == [1, 2]


def test_a_track_that_ended_is_not_taken_up_again() -> None:
    here = [((0, 0, 8, 8), 0.9, 1)]
    settings = TrackingSettings(max_undetected=1, min_detections=2)
    tracks = run(ScriptedDetector([here, here, [], [], here, here]), NoPrediction(), settings)
    assert [sum(box is not None for box in shown(track)) for track in tracks] == [2, 2]


def test_a_prediction_that_no_later_detection_confirms_is_cut() -> None:
    path = [(3 * index, 4, 10, 8) for index in range(8)]
    script = [[(path[index], 0.9, 5)] if index in (0, 1, 2, 5) else [] for index in range(8)]
    settings = TrackingSettings(belief=BeliefSettings(frames=1))
    (track,) = run(ScriptedDetector(script), Drift(), settings)
    # Believed for one frame only: frame 4 is hidden, frame 6 a tail that does not reach the end.
    assert shown(track) == [*path[:4], None, path[5], None, None]


def test_a_lost_track_is_not_searched_for_and_comes_back_where_it_was() -> None:
    here, there = ((30, 4, 10, 8), 0.9, 5), ((0, 4, 10, 8), 0.9, 5)
    script = [[there, here], [there, here], [there, here], *[[there]] * 5, [there, here]]
    doubtful = Drift(score=0.0)
    settings = TrackingSettings(max_hidden=1)
    tracks = run(ScriptedDetector(script), doubtful, settings)
    assert len(tracks) == 2
    assert [sum(box is not None for box in shown(track)) for track in tracks] == [9, 4]
    assert doubtful.asked == [0, 2, 2, 2, 2, 1, 1, 1, 1]


def test_the_template_is_renewed_at_every_so_many_detections() -> None:
    script = [[((0, 4, 10, 8), 0.9, 5)] if index != 2 else [] for index in range(7)]
    # Cut from the frame before: one after the birth in frame 0, and what the last frame asks for no longer counts.
    for every, started in ((0, [0, 1, 0, 0, 0, 0, 0]), (1, [0, 1, 1, 0, 1, 1, 1]), (3, [0, 1, 0, 0, 1, 0, 0])):
        propagator = Drift(score=0.0)
        run(ScriptedDetector(script), propagator, TrackingSettings(renew_every=every))
        assert propagator.started == started


def test_the_next_search_begins_at_the_detection_or_where_stage_1_says() -> None:
    here, moved = (0, 4, 10, 8), (3, 4, 10, 8)
    script = [[(here, 0.9, 5)], [((2, 4, 9, 8), 0.9, 5)], []]
    for chosen, box in ((NextBox.MASK, (2, 4, 9, 8)), (NextBox.STAGE_1, moved)):
        propagator = Drift()
        run(ScriptedDetector(script), propagator, TrackingSettings(next_box=chosen, renew_every=0))
        assert propagator.begun == [list(box)]


def test_events_say_what_became_of_each_track() -> None:
    detector = ScriptedDetector([[((0, 0, 8, 8), 0.9, 1), ((30, 0, 8, 8), 0.1, 1)]] * 3 + [[((40, 10, 8, 8), 0.9, 1)]])
    tracked = track_video(
        7,
        video(4),
        detector,
        LifecycleTracker(NoPrediction(), TrackingSettings(), CPU),
        2,
    )
    last = [event for event in tracked.events if event["frame"] == 3]
    assert last == [
        {"frame": 3, "kind": "hidden", "track": 0, "reason": "empty", "score": 0.0},
        {"frame": 3, "kind": "born", "track": 1, "detection": 0, "score": 0.9},
        {"frame": 3, "kind": "reported", "track": 0, "reason": "result 0"},
        {"frame": 3, "kind": "dropped", "track": 1, "reason": "too few detections, or none that is sure"},
    ]
    assert [event["kind"] for event in tracked.events if event["frame"] < 3] == [
        "born", "refused", "matched", "refused", "matched", "refused",
    ]  # fmt: skip


def test_events_tell_predicted_masks_from_detected_ones() -> None:
    path = [(3 * index, 4, 10, 8) for index in range(6)]
    script = [[((40, 2, 9, 9), 0.4, 5)], *([] if index in (2, 3) else [(path[index], 0.9, 5)] for index in range(1, 6))]
    tracked = track_video(
        7,
        video(6),
        ScriptedDetector(script),
        LifecycleTracker(Drift(), TrackingSettings(), CPU),
        3,
    )
    # The first track was dropped; the second one is the only result.
    assert predicted_frames(tracked.events, len(tracked.tracks), "the run") == ({2, 3},)
    assert [box is not None for box in shown(tracked.tracks[0])] == [False, True, True, True, True, True]


def frames_of(
    detector: ScriptedDetector,
    propagator: Propagator[Any],
    settings: TrackingSettings,
    frames: Sequence[Frame | BadFrame] | None = None,
) -> list[FrameTracks]:
    loop = FrameLoop(7, detector, LifecycleTracker(propagator, settings, CPU))
    return list(loop.over(video(len(detector.script)) if frames is None else frames, 3))


def test_every_frame_says_what_is_detected_predicted_and_hidden() -> None:
    path = [(3 * index, 4, 10, 8) for index in range(6)]
    script = [[] if index in (2, 3) else [(path[index], 0.9, 5)] for index in range(6)]
    frames = frames_of(ScriptedDetector(script), Drift(), TrackingSettings(belief=BeliefSettings(frames=1)))
    assert [tracks.index for tracks in frames] == list(range(6))
    assert all(tracks.ids.tolist() == [0] and tracks.labels.tolist() == [5] for tracks in frames)
    states = [MaskState.DETECTED, MaskState.DETECTED, MaskState.PREDICTED, MaskState.HIDDEN] + [MaskState.DETECTED] * 2
    assert [tracks.states.item() for tracks in frames] == states
    for tracks, (x, y, w, h), state in zip(frames, path, states, strict=True):
        expected = filled((x, y, w, h)) & (state != MaskState.HIDDEN)
        np.testing.assert_array_equal(tracks.dense(), expected[None])
        assert tracks.scores.item() == pytest.approx(0.9 if state == MaskState.DETECTED else 0.8)
        if state != MaskState.HIDDEN:
            assert tracks.boxes.tolist() == [[x, y, x + w, y + h]]
    # Hidden: half of the last velocity for each frame since, as `search_momentum` says.
    assert frames[3].boxes[0].tolist() == pytest.approx([3 + 3 * (1 + 0.5), 4, 13 + 3 * (1 + 0.5), 12])


def test_ids_last_and_a_track_that_ended_is_gone() -> None:
    first, second = ((0, 0, 8, 8), 0.9, 1), ((40, 10, 8, 8), 0.8, 2)
    script = [[first], [first, second], [second], [second], [second]]
    frames = frames_of(ScriptedDetector(script), NoPrediction(), TrackingSettings(max_undetected=2))
    assert [tracks.ids.tolist() for tracks in frames] == [[0], [0, 1], [0, 1], [0, 1], [1]]
    assert [tracks.shown().ids.tolist() for tracks in frames] == [[0], [0, 1], [1], [1], [1]]


def test_the_class_so_far_is_what_the_detections_so_far_vote_for() -> None:
    script = [[((0, 0, 8, 8), score, label)] for score, label in ((0.5, 2), (0.4, 1), (0.3, 1))]
    frames = frames_of(ScriptedDetector(script), NoPrediction(), TrackingSettings())
    assert [tracks.labels.tolist() for tracks in frames] == [[2], [2], [1]]


def test_the_frames_hold_what_the_results_do() -> None:
    # Confirmed throughout, so that the end cuts nothing.
    script = [[((place * 15 + 2 * index, index, 9, 7), 0.9, place) for place in range(3)] for index in range(5)]
    tracks = run(ScriptedDetector(script), Drift(), TrackingSettings())
    frames = frames_of(ScriptedDetector(script), Drift(), TrackingSettings())
    for track in tracks:
        for frame, rle in zip(frames, track.segmentations, strict=True):
            (mask,) = frame.select(frame.labels == track.category_id).dense()
            np.testing.assert_array_equal(mask, masks.decode(rle))


def test_frames_without_anything_come_out_empty_and_unreadable_ones_not_at_all() -> None:
    frames = [*video(3)]
    frames[1] = BadFrame(7, 1, "00001.jpg", "cut short")
    frames[2] = Frame(7, 2, "00002.jpg", frames[2].image, time=0.5)
    found = frames_of(ScriptedDetector([[]] * 3), Drift(), TrackingSettings(), frames)
    assert [(tracks.index, tracks.time, len(tracks)) for tracks in found] == [(0, None, 0), (2, 0.5, 0)]
    assert found[0].dense().shape == (0, HEIGHT, WIDTH)


def test_few_detections_are_not_reported() -> None:
    script = [[((0, 0, 8, 8), 0.9, 1)], [], []]
    assert run(ScriptedDetector(script), NoPrediction(), TrackingSettings(min_detections=2)) == ()
    assert len(run(ScriptedDetector(script), NoPrediction(), TrackingSettings(min_detections=1))) == 1


def test_a_track_without_a_sure_detection_is_not_reported() -> None:
    script = [[((0, 0, 8, 8), score, 1), ((30, 0, 8, 8), 0.4, 1)] for score in (0.3, 0.6, 0.3)]
    (track,) = run(ScriptedDetector(script), NoPrediction(), TrackingSettings(confirm_score=0.5))
    assert shown(track) == [(0, 0, 8, 8)] * 3
    assert track.score == pytest.approx(1.2 / (3 + 2))
    assert len(run(ScriptedDetector(script), NoPrediction(), TrackingSettings(confirm_score=0.4))) == 2


def test_at_most_so_many_tracks_the_best_scored() -> None:
    script = [[((10 * place, 0, 8, 8), 0.5 + 0.1 * place, 1) for place in range(4)]] * 2
    tracks = run(ScriptedDetector(script), NoPrediction(), TrackingSettings(max_tracks=2))
    assert [track.score for track in tracks] == pytest.approx([0.4, 0.35])


def test_a_bad_frame_is_null_in_every_track_and_the_tracks_go_on() -> None:
    frames = video(4)
    frames[1] = BadFrame(7, 1, "00001.jpg", "cut short")
    detector = ScriptedDetector([[((0, 0, 8, 8), 0.9, 1)]] * 4)
    tracked = track_video(
        7,
        frames,
        detector,
        LifecycleTracker(NoPrediction(), TrackingSettings(), CPU),
        2,
    )
    assert shown(tracked.tracks[0]) == [(0, 0, 8, 8), None, (0, 0, 8, 8), (0, 0, 8, 8)]
    assert tracked.length == 4
    assert len(tracked.notes) == 1
    assert "frame 00001.jpg" in tracked.notes[0]
    assert detector.batches == [[0], [2, 3]]


def test_motion_goes_on_while_frames_cannot_be_read() -> None:
    path = [(3 * index, 4, 10, 8) for index in range(12)]
    frames = video(12)
    for index in (4, 5, 6):
        frames[index] = BadFrame(7, index, f"{index:05}.jpg", "cut short")
    # Detected again six frames and 18 pixels on, with nothing but motion to say that it is the same.
    script = [[(path[index], 0.9, 5)] if index not in (4, 5, 6, 7, 8) else [] for index in range(12)]
    settings = TrackingSettings(match_kinship=1, motion=MotionSettings(momentum=1))
    (track,) = run(ScriptedDetector(script), NoPrediction(), settings, frames)
    assert [index for index, box in enumerate(shown(track)) if box] == [0, 1, 2, 3, 9, 10, 11]


def test_a_video_without_detections_has_no_tracks() -> None:
    assert run(ScriptedDetector([[]] * 3), Drift(), TrackingSettings()) == ()


def test_an_object_of_a_one_frame_video_is_reported() -> None:
    assert (
        len(run(ScriptedDetector([[((0, 0, 8, 8), 0.9, 1)]]), NoPrediction(), TrackingSettings(min_detections=2))) == 1
    )
