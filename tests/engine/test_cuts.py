"""Where a video is cut, what is at the place of an object is another one; where it is cut back, it is that again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from blob_videos import Blobs, no_prediction, siammask
from returning_objects import Place, SameColour, Seen, remembering
from returning_objects import video as coloured_squares
from test_checkpoint import in_pieces, same
from whole_videos import track_video

from vis_pipeline.engine import FrameLoop, Lane, in_lockstep
from vis_pipeline.structures.frames import Footage, Frame
from vis_pipeline.structures.tracks import FrameTracks, VideoOutcome
from vis_pipeline.trackers.base import Tracker
from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.settings import ShotSettings
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker
from vis_pipeline.trackers.memory import MemorySettings

SIZE = (64, 96)
A, B = 1, 2
THERE_AND_BACK = [A] * 6 + [B] * 6 + [A] * 6
MAKERS = pytest.mark.parametrize("make_tracker", [siammask, no_prediction])


def background(scene: int) -> np.ndarray:
    """Coarse patches, too dark to be detected."""
    patches = np.random.default_rng(scene).integers(0, 180, (8, 12, 3), dtype=np.uint8)
    return cv2.resize(patches, SIZE[::-1], interpolation=cv2.INTER_NEAREST)


def shot_by_shot(scenes: Sequence[int], video_id: int = 1) -> list[Footage]:
    """A bright square that drifts, at the same places before the backgrounds of all scenes."""
    frames: list[Footage] = []
    for index, scene in enumerate(scenes):
        image = background(scene)
        image[20:34, 10 + index : 26 + index] = 230
        frames.append(Frame(video_id, index, str(index), image))
    return frames


def spans(outcome: VideoOutcome) -> list[list[int]]:
    """The frames of each reported track, the earliest track first."""
    frames = [[i for i, mask in enumerate(track.segmentations) if mask is not None] for track in outcome.tracks]
    return sorted(frames)


@MAKERS
def test_what_is_at_the_same_place_after_a_cut_is_new_and_after_a_cut_back_the_old(
    make_tracker: Callable[[], Tracker[Any, Any]],
) -> None:
    outcome = track_video(1, shot_by_shot(THERE_AND_BACK), Blobs(), make_tracker(), 4)
    assert spans(outcome) == [[*range(6), *range(12, 18)], list(range(6, 12))]
    told = [event for event in outcome.events if event["kind"] == "lost"]
    assert told == [
        {"frame": 6, "kind": "lost", "track": 0, "reason": "another shot"},
        {"frame": 12, "kind": "lost", "track": 1, "reason": "another shot"},
    ]
    assert not [event for event in outcome.events if event["kind"] == "hidden"]
    # Each frame searches for the track of its shot, but for the one that begins it.
    assert outcome.searches == 5 + 5 + 6


def test_without_shots_it_is_taken_for_the_same() -> None:
    blind = LifecycleTracker(NoPrediction(), TrackingSettings(shots=ShotSettings(cut_likeness=0)), torch.device("cpu"))
    assert spans(track_video(1, shot_by_shot(THERE_AND_BACK), Blobs(), blind, 4)) == [list(range(18))]


def test_a_track_does_not_outlive_a_long_shot_of_something_else() -> None:
    longer = TrackingSettings().max_undetected + 1
    outcome = track_video(1, shot_by_shot([A] * 8 + [B] * longer + [A] * 8), Blobs(), no_prediction(), 4)
    assert len(outcome.tracks) == 3
    (ended,) = [event for event in outcome.events if event["kind"] == "ended"]
    assert (ended["track"], ended["frame"]) == (0, 8 + longer - 1)


def test_one_that_was_hidden_for_too_long_when_the_shot_is_back_is_taken_up_where_it_was() -> None:
    away = TrackingSettings().max_hidden + 4
    frames = shot_by_shot([A] * 8 + [B] * away + [A] * 8)
    for index in range(8 + away, len(frames)):
        image = background(A)
        image[20:34, 17:33] = 230
        frames[index] = Frame(1, index, str(index), image)
    outcome = track_video(1, frames, Blobs(), no_prediction(), 4)
    assert spans(outcome)[0] == [*range(8), *range(8 + away, 16 + away)]


@pytest.mark.parametrize("flash", [[255], [255, 255, 255], [0], [255, 0]])
def test_a_flash_ends_nothing(flash: Sequence[int]) -> None:
    frames = shot_by_shot([A] * 20)
    for index, level in enumerate(flash, 8):
        frames[index] = Frame(1, index, str(index), np.full((*SIZE, 3), level, dtype=np.uint8))
    outcome = track_video(1, frames, Blobs(), no_prediction(), 4)
    assert [*range(8), *range(8 + len(flash), 20)] in spans(outcome)


@pytest.mark.parametrize("cuts", [[6], [9], [3, 6, 9, 12, 15]])
def test_a_video_of_shots_in_pieces_is_the_same(cuts: list[int]) -> None:
    frames = shot_by_shot(THERE_AND_BACK)
    same(in_pieces(no_prediction, frames, cuts), track_video(1, frames, Blobs(), no_prediction(), 3))


def test_videos_that_advance_together_are_cut_each_by_itself() -> None:
    tracker = no_prediction()
    videos = {1: [A] * 20, 2: THERE_AND_BACK, 3: [B] * 5 + [A] * 9}
    lanes = [Lane(key, FrameLoop(key, Blobs(), tracker), shot_by_shot(of, key), 4) for key, of in videos.items()]
    for key, outcome in in_lockstep(tracker, lanes, 3):
        assert isinstance(outcome, VideoOutcome)
        same(outcome, track_video(key, shot_by_shot(videos[key], key), Blobs(), tracker, 4))


COLOURS = {"red": (20, 20, 220), "green": (20, 200, 20), "blue": (220, 20, 20), "twin": (20, 200, 20)}
LEFT, RIGHT, TOP = (6, 40), (74, 40), (40, 6)


def remembered(script: Sequence[Mapping[str, Place]], scenes: Sequence[int]) -> tuple[VideoOutcome, list[FrameTracks]]:
    """Coloured squares before the backgrounds of the scenes, with a memory."""
    frames = []
    for frame, scene in zip(coloured_squares(script, COLOURS), scenes, strict=True):
        empty = (frame.image == 90).all(axis=2, keepdims=True)
        frames.append(replace(frame, image=np.where(empty, background(scene), frame.image)))
    memory = MemorySettings(score=0.9, margin=0.1, refresh_every=2)
    loop = FrameLoop(1, Seen(script), remembering(memory, SameColour()))
    shown = list(loop.over(frames, 4))
    return loop.finish(), shown


def test_a_memory_knows_an_object_in_another_shot_at_once_and_back_in_its_own() -> None:
    """The red one goes on in both shots, elsewhere; blue is where red was, and green stays behind."""
    first, second = {"red": LEFT, "green": TOP}, {"red": RIGHT, "blue": LEFT}
    outcome, shown = remembered([first] * 6 + [second] * 6 + [first] * 6, THERE_AND_BACK)
    ids = [dict(zip(map(tuple, np.rint(each.boxes[:, :2]).astype(int).tolist()), each.ids.tolist(), strict=True))
           for each in (tracks.shown() for tracks in shown)]  # fmt: skip
    green, red = 0, 1
    assert ids[5] == {TOP: green, LEFT: red}
    assert ids[6] == {LEFT: 2, RIGHT: red}
    assert ids[12] == {TOP: green, LEFT: red}
    assert sorted(spans(outcome), key=len) == [list(range(6, 12)), [*range(6), *range(12, 18)], list(range(18))]


def test_one_that_was_found_in_its_shot_again_is_away_no_longer() -> None:
    """After the cut back a second green one comes: it is not the first, which is there."""
    first, both = {"green": TOP}, {"green": TOP, "twin": RIGHT}
    outcome, _ = remembered([first] * 6 + [{"blue": LEFT}] * 6 + [first] * 3 + [both] * 5, [A] * 6 + [B] * 6 + [A] * 8)
    assert not [event for event in outcome.events if event["kind"] == "recalled"]
    assert spans(outcome) == [[*range(6), *range(12, 20)], list(range(6, 12)), list(range(15, 20))]
