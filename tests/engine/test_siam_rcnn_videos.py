"""Siam R-CNN on whole videos: an object is the same track wherever it comes back, alone, in lockstep and in pieces."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from returning_objects import Place, video
from safetensors.torch import load, save
from siam_rcnn_scenes import BlindNetwork, Proposing, tracker

from vis_pipeline.engine import FrameLoop, Lane, in_lockstep
from vis_pipeline.structures.checkpoint import Checkpoint
from vis_pipeline.structures.frames import BadFrame
from vis_pipeline.structures.tracks import FrameTracks, MaskState, VideoOutcome
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector, RedetectorArchitecture
from vis_pipeline.trackers.siam_rcnn.settings import (
    ArgmaxSettings,
    ColourSettings,
    RedetectionSettings,
    SelectionSettings,
    ShortTermSettings,
    TargetSettings,
    TdpaSettings,
)
from vis_pipeline.trackers.siam_rcnn.tracker import SiamRcnnTracker

COLOURS = {
    "red": (20, 20, 220),
    "green": (20, 200, 20),
    "pink": (60, 60, 220),
    "twin": (20, 20, 220),
    "brick": (20, 20, 190),
}
LEFT, RIGHT, TOP = (6, 40), (74, 40), (40, 6)
Script = Sequence[Mapping[str, Place]]


def moved(place: Place, frames: int) -> Place:
    return place[0] + frames % 5, place[1]


def scene(absent: int, beside: str = "green", after: int = 12) -> Script:
    """A red square is there for 8 frames, and after an absence at another place; another one stays all the time."""
    there, back = {beside: TOP, "red": LEFT}, {beside: TOP, "red": RIGHT}
    script = [there] * 8 + [{beside: TOP}] * absent + [back] * after
    return [{name: moved(place, index) for name, place in places.items()} for index, places in enumerate(script)]


def tracked(
    script: Script, by: SiamRcnnTracker, hidden: Mapping[str, int] | None = None
) -> tuple[VideoOutcome, list[FrameTracks]]:
    loop = FrameLoop(1, Proposing(script, hidden), by)
    shown = list(loop.over(video(script, COLOURS), 4))
    return loop.finish(), shown


def spans(outcome: VideoOutcome) -> list[list[int]]:
    """The frames of each reported track, the earliest track first."""
    return sorted([i for i, mask in enumerate(track.segmentations) if mask is not None] for track in outcome.tracks)


@pytest.mark.parametrize("selection", [TdpaSettings(), ArgmaxSettings(present_score=0.5)])
@pytest.mark.parametrize("absent", [5, 60])
def test_an_object_that_comes_back_elsewhere_is_the_old_one(absent: int, selection: SelectionSettings) -> None:
    outcome, shown = tracked(scene(absent), tracker(selection=selection))
    assert [tracks.shown().ids.tolist() for tracks in shown[:8]] == [[0, 1]] * 8
    assert [tracks.shown().ids.tolist() for tracks in shown[8 : 8 + absent]] == [[0]] * absent
    # Tracklets may take a frame or two to be sure.
    assert [tracks.shown().ids.tolist() for tracks in shown[11 + absent :]] == [[0, 1]] * 9
    assert all(set(tracks.ids.tolist()) <= {0, 1} for tracks in shown)
    always, mine = spans(outcome)
    assert always == list(range(20 + absent))
    assert set(mine) >= {*range(8), *range(11 + absent, 20 + absent)}
    assert set(mine) <= {*range(8), *range(8 + absent, 20 + absent)}


def test_a_lookalike_keeps_its_own_number_while_the_other_is_away() -> None:
    outcome, shown = tracked(scene(30, "twin"), tracker())
    numbers = {tuple(tracks.shown().ids.tolist()) for tracks in shown[8:38]}
    twin = next(row for row, box in enumerate(shown[0].boxes) if box[1] < 30)
    assert numbers == {(int(shown[0].ids[twin]),)}
    assert len(outcome.tracks) == 2


def test_what_nothing_detects_is_followed_all_the_same() -> None:
    script = [{"green": TOP, "red": moved(LEFT, index)} for index in range(20)]
    outcome, shown = tracked(script, tracker(), {"red": 4})
    (red,) = shown[0].ids[shown[0].boxes[:, 1] > 30].tolist()
    states = [int(tracks.states[tracks.ids == red][0]) for tracks in shown]
    assert states == [MaskState.DETECTED] * 4 + [MaskState.PREDICTED] * 16
    kinds = [event["kind"] for event in outcome.events if event.get("track") == red]
    assert kinds[:5] == ["born", "matched", "matched", "matched", "predicted"]
    assert spans(outcome) == [list(range(20))] * 2


def test_what_nothing_detects_is_not_shown_on_what_is_detected() -> None:
    """The brick square, no longer detected, goes below the red one and out again: it has 7/12 of it in common."""
    way = [LEFT] * 8 + [(RIGHT[0] - 5, RIGHT[1])] * 4 + [LEFT] * 4
    script = [{"brick": place, "red": RIGHT} for place in way]
    outcome, shown = tracked(script, tracker(selection=ArgmaxSettings(present_score=0.5)), {"brick": 6})
    (brick,) = shown[0].ids[shown[0].boxes[:, 0] < 30].tolist()
    states = [int(tracks.states[tracks.ids == brick][0]) for tracks in shown]
    assert states == [MaskState.DETECTED] * 6 + [MaskState.PREDICTED] * 2 + [MaskState.HIDDEN] * 4 + [1] * 4
    reasons = [event["reason"] for event in outcome.events if event["kind"] == "hidden"]
    assert reasons == ["covered"] * 4
    assert all(int(mask.sum()) == 144 for tracks in shown for mask in tracks.shown().masks)


def test_a_detection_that_may_be_an_absent_target_starts_none() -> None:
    outcome, _ = tracked(scene(30), tracker())
    refused = {event["reason"] for event in outcome.events if event["kind"] == "refused"}
    assert refused <= {"known"}
    fresh = tracker(targets=TargetSettings(known_score=1.0, same_score=1.0))
    assert len(tracked([{"red": LEFT}] * 8 + [{}] * 8 + [{"pink": RIGHT}] * 8, fresh)[0].tracks) == 2


@pytest.mark.parametrize("selection", [TdpaSettings(), ArgmaxSettings(), ShortTermSettings()])
def test_colours_keep_lookalikes_apart(selection: SelectionSettings) -> None:
    """To the network all squares are the same; the brick one goes before the red one comes back."""
    whole = [{"brick": TOP, "red": LEFT}] * 8 + [{"brick": TOP}] * 6 + [{"red": RIGHT}] * 12
    looks = RedetectionSettings(looks=ColourSettings(), min_score=0.3)
    shown = tracked(whole, tracker(BlindNetwork(), selection, redetection=looks))[1]
    (red,) = {
        int(frame.shown().ids[row]) for frame in shown[:8] for row in range(2) if frame.shown().boxes[row, 1] > 30
    }
    assert [frame.shown().ids.tolist() for frame in shown[18:]] == [[red]] * 8
    assert all(frame.shown().ids.tolist() == [1 - red] for frame in shown[8:14])


def test_one_whose_first_view_was_a_poor_one_goes_on_as_itself() -> None:
    """The network does not know the square again after its first frame, and it stays where it is."""
    script = [{"green": TOP, "first": LEFT}, *[{"green": TOP, "red": LEFT}] * 9]
    colours = {**COLOURS, "first": (200, 20, 60)}
    loop = FrameLoop(1, Proposing(script), tracker())
    shown = list(loop.over(video(script, colours), 4))
    assert [sorted(frame.shown().ids.tolist()) for frame in shown] == [[0, 1]] * 10
    outcome = loop.finish()
    assert spans(outcome) == [list(range(10))] * 2
    joined = [event for event in outcome.events if event["kind"] == "recalled"]
    assert [(event["frame"], event["track"], event["reason"]) for event in joined] == [(1, 0, "track 2 goes on as it")]
    apart = [{"green": TOP, "first": LEFT}, *[{"green": TOP, "red": RIGHT}] * 9]
    loop = FrameLoop(1, Proposing(apart), tracker())
    assert len([frame for frame in loop.over(video(apart, colours), 4) if max(frame.ids) == 2]) == 9


def test_targets_are_bounded() -> None:
    crowd = {f"{name}": (8 + 20 * place, 6) for place, name in enumerate(("red", "green"))}
    script = [{"red": crowd["red"]}] * 6 + [{}] * 3 + [{"green": crowd["green"]}] * 6
    outcome, shown = tracked(script, tracker(targets=TargetSettings(max_targets=1)))
    assert max(len(tracks.ids) for tracks in shown) == 1
    assert [event["reason"] for event in outcome.events if event["kind"] == "ended"] == [
        "makes room for another target"
    ]
    assert spans(outcome) == [list(range(6)), list(range(9, 15))]
    both = [crowd] * 6
    outcome, shown = tracked(both, tracker(targets=TargetSettings(max_targets=1)))
    assert {event["reason"] for event in outcome.events if event["kind"] == "refused"} == {"full"}


def test_one_seen_once_is_given_up_soon() -> None:
    script = [{"red": LEFT}] * 1 + [{}] * 12
    settings = TargetSettings(max_unconfirmed=4)
    outcome, shown = tracked(script, tracker(targets=settings))
    assert [len(tracks.ids) for tracks in shown] == [1] * 5 + [0] * 8
    assert outcome.searches == 5


def trained_on_nothing(seed: int = 3) -> Redetector:
    torch.manual_seed(seed)
    network = Redetector(RedetectorArchitecture(channels=3, conv_channels=8, fc_channels=16, groups=4))
    for stage in network.cascade:
        torch.nn.init.normal_(stage.head.fc_cls.weight, std=0.5)
        torch.nn.init.normal_(stage.head.fc_reg.weight, std=0.1)
    return network.eval()


SELECTIONS = [TdpaSettings(join_score=0.2, margin=0.01), ArgmaxSettings(), ShortTermSettings()]
SCRIPTS: dict[int, Script] = {1: scene(4, after=5), 2: scene(3, "pink", 3), 3: [{"red": RIGHT}] * 9}


def any_tracker(selection: SelectionSettings) -> SiamRcnnTracker:
    """Real convolutions, whose last bits depend on a batch, and little that is refused."""
    return tracker(
        trained_on_nothing(),
        selection,
        TargetSettings(shown_score=0.0, known_score=1.0),
        TrackingSettings(min_detections=1, confirm_score=0.1),
        RedetectionSettings(min_score=0.0, refined=5, looks=ColourSettings()),
    )


@pytest.mark.parametrize("selection", SELECTIONS)
def test_videos_come_out_in_lockstep_as_they_do_alone(selection: SelectionSettings) -> None:
    together = any_tracker(selection)
    lanes = [
        Lane(key, FrameLoop(1, Proposing(script), together), video(script, COLOURS), 4)
        for key, script in SCRIPTS.items()
    ]
    for key, outcome in in_lockstep(together, lanes, 3):
        alone, _ = tracked(SCRIPTS[key], any_tracker(selection))
        assert isinstance(outcome, VideoOutcome) and alone.tracks
        assert (outcome.tracks, outcome.events, outcome.searches) == (alone.tracks, alone.events, alone.searches)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_a_video_goes_on_in_another_process(selection: SelectionSettings) -> None:
    script = SCRIPTS[1]
    frames: list[Any] = video(script, COLOURS)
    frames[9] = BadFrame(1, 9, "9", "damaged")
    loop = FrameLoop(1, Proposing(script), any_tracker(selection))
    for _ in loop.over(frames, 4):
        pass
    whole = loop.finish()
    records: list[Any] = []
    earlier: Checkpoint | None = None
    for begin, end in ((0, 4), (4, 12), (12, len(frames))):
        loop = FrameLoop(1, Proposing(script), any_tracker(selection))
        if earlier is not None:
            assert loop.restore(Checkpoint(records, earlier.facts, earlier.tensors)) == begin
        for _ in loop.over(frames[begin:end], 4):
            pass
        taken = loop.checkpoint()
        facts, new = json.loads(json.dumps([taken.facts, taken.records]))
        earlier = Checkpoint(new, facts, load(save({key: value.clone() for key, value in taken.tensors.items()})))
        records = [*records, *new]
    found = loop.finish()
    assert whole.tracks and whole.skipped == (9,)
    assert (found.tracks, found.events, found.searches) == (whole.tracks, whole.events, whole.searches)


def test_a_video_that_begins_with_nothing_goes_on_too() -> None:
    loop = FrameLoop(1, Proposing([{}] * 4), any_tracker(TdpaSettings()))
    assert loop.checkpoint().tensors == {}
    for _ in loop.over(video([{}] * 4, COLOURS), 4):
        pass
    again = FrameLoop(1, Proposing([{}] * 4), any_tracker(TdpaSettings()))
    assert again.restore(loop.checkpoint()) == 4
    assert again.finish().tracks == ()
